/** What a stack offers to be measured; the same few calls for p2pl, the engines without it, and the alternatives. */
export interface Stack {
  /** How others reach it; they hand it to `connect` as it is. */
  self(): Promise<unknown>
  connect(to: unknown): Promise<void>
  readonly messages?: Messages
  readonly content?: Content
  readonly log?: Log
}

export interface Messages {
  subscribe(topic: string, onMessage: (payload: Uint8Array) => void): Promise<void>
  /** Resolves when a publish would reach as many other peers. */
  ready(topic: string, peers: number): Promise<void>
  publish(topic: string, payload: Uint8Array): Promise<unknown>
}

export interface Content {
  /** Gives what others get it by. */
  add(bytes: Uint8Array): Promise<string>
  /** Reads all of it from another peer; gives how many bytes came. */
  get(id: string): Promise<number>
  /** Drops all content. */
  forget(): Promise<void>
}

/** A log that other peers copy. */
export interface Log {
  append(payload: Uint8Array): Promise<unknown>
  /** Resolves when as many entries of the peer that this one is connected to are here. */
  catchUp(count: number): Promise<void>
}

/** The default export of a module of this folder. */
export type OpenStack<Options = object> = (options: Options) => Promise<Stack>

export type StackName =
  | 'p2pl'
  | 'p2pl-torrent'
  | 'helia'
  | 'tcp'
  | 'hyperswarm'
  | 'hypercore'
  | 'iroh'
  | 'orbitdb'
  | 'webtorrent'

export async function openStack(name: StackName, options: object): Promise<Stack> {
  const module = (await import(new URL(`./${name}.ts`, import.meta.url).href)) as { default: OpenStack }
  return await module.default(options)
}
