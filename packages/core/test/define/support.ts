import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import {
  type BackendDefinition,
  type Block,
  type Capabilities,
  type DefinedBackend,
  defineBackend,
  type HookOptions,
  type OpenedBackend,
  type PeerInfo
} from '../../src/backend.ts'

export const never = (): Promise<never> => new Promise(() => undefined)

export const peer: PeerInfo = { network: 'net', id: 'other', addresses: ['somewhere'] }

export const messages: NonNullable<Capabilities['messages']> = {
  delivery: 'reliable',
  ordering: 'sender',
  echo: false,
  maxMessageBytes: 10,
  pacing: 0,
  peers: 'native',
  recipients: 'native',
  gaps: 'native',
  validation: 'native',
  sender: 'none'
}

export const blocks: NonNullable<Capabilities['blocks']> = {
  maxBlockBytes: 10,
  persistence: 'none',
  remote: true,
  keepsFetched: true,
  pins: 'native',
  gc: 'native',
  hashes: [0x12]
}

export const routing: NonNullable<Capabilities['routing']> = {
  provide: 'native',
  unprovide: 'native',
  findProviders: 'native',
  findPeer: 'native',
  connect: 'native',
  recordLifetime: Infinity
}

export async function block(text = 'x'): Promise<Block> {
  const bytes = new TextEncoder().encode(text)
  return { cid: CID.createV1(0x55, await sha256.digest(bytes)), bytes }
}

export async function firstOf<T>(items: AsyncIterable<T>): Promise<IteratorResult<T>> {
  return await items[Symbol.asyncIterator]().next()
}

/** Hooks that answer; a test replaces what it is about. */
export function opened(overrides: Partial<OpenedBackend> = {}): OpenedBackend {
  return {
    self: () => ({ id: 'self', addresses: [] }),
    close: async () => undefined,
    messages: {
      publish: async () => ({ recipients: 1 }),
      join: async () => ({ close: async () => undefined }),
      peers: async () => [peer]
    },
    blocks: {
      get: async () => new Uint8Array(1),
      putMany: async () => undefined,
      has: async () => true,
      delete: async () => undefined,
      pin: async () => undefined,
      unpin: async () => undefined,
      pins: async function* () {},
      gc: async function* () {}
    },
    routing: {
      provide: async () => undefined,
      unprovide: async () => undefined,
      findProviders: async function* () {
        yield peer
      },
      findPeer: async () => peer,
      connect: async () => undefined,
      disconnect: async () => undefined,
      connections: async () => [peer]
    },
    ...overrides
  }
}

export function defined(definition: Partial<BackendDefinition> = {}): DefinedBackend<unknown> {
  return defineBackend({
    name: 'test',
    network: 'net',
    capabilities: { messages, blocks, routing },
    open: async () => opened(),
    ...definition
  })
}

export async function started(
  overrides: Partial<OpenedBackend> = {},
  definition: Partial<BackendDefinition> = {}
): Promise<DefinedBackend<unknown>> {
  const backend = defined({ open: async () => opened(overrides), ...definition })
  await backend.start()
  return backend
}

export type AnyCall = (backend: DefinedBackend<unknown>, options?: { signal?: AbortSignal }) => Promise<unknown>

export const calls: Readonly<Record<string, AnyCall>> = {
  'messages.publish': (b, o) => b.messages!.publish('t', new Uint8Array(1), o),
  'messages.subscribe': (b, o) => b.messages!.subscribe('t', { message: () => 'accept', gap: () => undefined }, o),
  'messages.peers': (b, o) => b.messages!.peers('t', o),
  'blocks.get': async (b, o) => b.blocks!.get((await block()).cid, o),
  'blocks.putMany': async (b, o) => b.blocks!.putMany([await block()], o),
  'blocks.has': async (b, o) => b.blocks!.has((await block()).cid, o),
  'blocks.delete': async (b, o) => b.blocks!.delete((await block()).cid, o),
  'blocks.pin': async (b, o) => b.blocks!.pin((await block()).cid, o),
  'blocks.unpin': async (b, o) => b.blocks!.unpin((await block()).cid, o),
  'blocks.pins': (b, o) => b.blocks!.pins(o)[Symbol.asyncIterator]().next(),
  'blocks.gc': (b, o) => b.blocks!.gc(o)[Symbol.asyncIterator]().next(),
  'routing.provide': async (b, o) => b.routing!.provide((await block()).cid, o),
  'routing.unprovide': async (b, o) => b.routing!.unprovide((await block()).cid, o),
  'routing.findProviders': async (b, o) => firstOf(b.routing!.findProviders((await block()).cid, o)),
  'routing.findPeer': (b, o) => b.routing!.findPeer('x', o),
  'routing.connect': (b, o) => b.routing!.connect(peer, o),
  'routing.disconnect': (b, o) => b.routing!.disconnect('x', o),
  'routing.connections': (b, o) => b.routing!.connections(o)
}

/** Every hook calls `hook` and settles as it does. */
export function everyHook(hook: (options: HookOptions) => Promise<never>): OpenedBackend {
  const last = (...args: unknown[]): Promise<never> => hook(args.at(-1) as HookOptions)
  const any = (...args: unknown[]): AsyncIterable<never> => ({
    [Symbol.asyncIterator]: () => ({ next: () => last(...args), return: never })
  })
  return opened({
    messages: { publish: last, join: last, peers: last },
    blocks: { get: last, putMany: last, has: last, delete: last, pin: last, unpin: last, pins: any, gc: any },
    routing: {
      provide: last,
      unprovide: last,
      findProviders: any,
      findPeer: last,
      connect: last,
      disconnect: last,
      connections: last
    }
  })
}
