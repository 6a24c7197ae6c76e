import { defineBackend, P2plError, type Capabilities, type DefinedBackend } from '@p2pl/core/backend'
import { blockHooks } from './blocks.ts'
import { messageHooks } from './messages.ts'
import type { FakeEngine, FakeNetwork, FakeStore } from './network.ts'
import { fakeNetworkName, peerInfo } from './peer-info.ts'
import { routingHooks } from './routing.ts'

export interface FakeBackend extends DefinedBackend<FakeEngine> {
  readonly network: FakeNetwork
  readonly store: FakeStore
}

export interface FakeOptions {
  /** What the fake declares and does. Default: everything. */
  readonly capabilities?: Capabilities | undefined
  /** Whether the next delivery of a message is lost. Default: never. */
  readonly lose?: (() => boolean) | undefined
}

/** A correct backend within one process. It is as small as a backend can be that keeps every promise of the port. */
export function fakeBackend(
  network: FakeNetwork,
  store: FakeStore,
  { capabilities = fakeCapabilities, lose = () => false }: FakeOptions = {}
): FakeBackend {
  const { id } = store
  const { messages, blocks, routing } = capabilities
  const backend = defineBackend<FakeEngine>({
    name: 'fake',
    network: fakeNetworkName,
    capabilities,
    open: async ({ report }) => {
      if (network.obstructed.has(id)) throw new P2plError({ code: 'LOCKED', message: 'the store is in use' })
      if (blocks?.persistence === 'none') for (const part of [store.blocks, store.pins]) part.clear()
      const engine: FakeEngine = { id, store, topics: new Map(), tellsGaps: messages?.gaps !== 'none', report }
      network.add(engine)
      return {
        self: () => peerInfo(id),
        messages: messages && messageHooks(network, engine, messages, lose),
        blocks: blocks && blockHooks(network, engine, blocks),
        routing: routing && routingHooks(network, engine),
        secrets: {
          get: async (name) => store.secrets.get(name),
          set: async (name, secret) => void store.secrets.set(name, secret.slice())
        },
        engine,
        close: async () => network.remove(id)
      }
    }
  })
  return Object.assign(backend, { network, store })
}

/** The default capabilities of the fake: everything. */
export const fakeCapabilities: { readonly [P in keyof Capabilities]-?: NonNullable<Capabilities[P]> } = {
  messages: {
    delivery: 'reliable',
    ordering: 'sender',
    echo: false,
    maxMessageBytes: 64 * 1024,
    pacing: 0,
    peers: 'native',
    recipients: 'native',
    gaps: 'native',
    validation: 'none',
    sender: 'verified'
  },
  blocks: {
    maxBlockBytes: 1024 * 1024 + 64 * 1024,
    persistence: 'process',
    remote: true,
    keepsFetched: true,
    pins: 'native',
    gc: 'native',
    hashes: [0x12, 0x13]
  },
  routing: {
    provide: 'native',
    unprovide: 'native',
    findProviders: 'native',
    findPeer: 'native',
    connect: 'native',
    recordLifetime: Infinity
  }
}
