/** The calls of a stack that are measured. They are the same for p2pl, the engines without it, and the alternatives. */
export interface Stack {
  /** How others reach it. They pass the value to `connect` unchanged. */
  self(): Promise<unknown>
  connect(to: unknown): Promise<void>
  readonly messages?: Messages
  readonly content?: Content
  readonly log?: Log
}

export interface Messages {
  subscribe(topic: string, onMessage: (payload: Uint8Array) => void): Promise<void>
  /** Resolves when a publish would reach this many other peers. */
  ready(topic: string, peers: number): Promise<void>
  publish(topic: string, payload: Uint8Array): Promise<unknown>
}

export interface Content {
  /** Resolves with the id under which others get the content. */
  add(bytes: Uint8Array): Promise<string>
  /** Reads all of it from another peer. Resolves with the number of received bytes. */
  get(id: string): Promise<number>
  /** Drops all content. */
  forget(): Promise<void>
}

/** A log that other peers copy. */
export interface Log {
  append(payload: Uint8Array): Promise<unknown>
  /** Resolves when this many entries of the connected peer are here. */
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
