import type { BlockCapabilities, Capabilities, MessageCapabilities, RoutingCapabilities } from '@p2pl/core/backend'
import type { ConformanceFixture, ConformanceNetwork } from '../fixture.ts'
import { createFakeStore, FakeNetwork } from './network.ts'
import { FakeNode } from './node.ts'

export { createFakeStore, FakeNetwork } from './network.ts'
export type { FakeStore } from './network.ts'
export { FakeNode } from './node.ts'

/** What the fake declares when nobody asks for less: everything. */
export const fakeMessages: MessageCapabilities = {
  delivery: 'reliable',
  ordering: 'sender',
  echo: false,
  duplicates: 'delivered',
  maxMessageBytes: 64 * 1024,
  pacing: 0,
  peers: 'native',
  recipients: 'native',
  gaps: 'native',
  validation: 'native',
  sender: 'verified'
}

export const fakeBlocks: BlockCapabilities = {
  maxBlockBytes: 1024 * 1024 + 64 * 1024,
  persistence: 'process',
  remote: true,
  keepsFetched: true,
  pins: 'native',
  gc: 'native',
  dag: 'native',
  hashes: [0x12, 0x13]
}

export const fakeRouting: RoutingCapabilities = {
  provide: 'native',
  unprovide: 'native',
  findProviders: 'native',
  findPeer: 'native',
  connect: 'native',
  recordLifetime: Infinity
}

export const fakeCapabilities: Capabilities = {
  runtimes: ['node', 'browser'],
  messages: fakeMessages,
  blocks: fakeBlocks,
  routing: fakeRouting
}

export interface FakeOptions {
  /** What it declares, and does. Default: everything. */
  readonly capabilities?: Capabilities | undefined
  /** Whether the next delivery of a message is lost. Default: never. */
  readonly lose?: (() => boolean) | undefined
}

/** A network of fakes in this process, for the kit's own tests and for those of layers. */
export function createFakeConformanceNetwork(count: number, options: FakeOptions = {}): ConformanceNetwork {
  const network = new FakeNetwork()
  const stores = Array.from({ length: count }, createFakeStore)
  const capabilities = options.capabilities ?? fakeCapabilities
  const make = (index: number): FakeNode => {
    const store = stores[index]
    if (store === undefined) throw new RangeError(`the network has ${count} backends; there is none at ${index}`)
    return new FakeNode(network, store, capabilities, options.lose ?? (() => false))
  }
  return {
    backends: stores.map((_store, index) => make(index)),
    link: async () => network.linkAll(),
    reopen: async (index) => make(index),
    cut: async (index) => {
      const heal = network.cut(stores[index]?.id ?? '')
      return async () => heal()
    },
    obstruct: async (index) => {
      const id = stores[index]?.id ?? ''
      network.obstructed.add(id)
      return async () => void network.obstructed.delete(id)
    }
  }
}

/** The fixture of the fake. */
export function fakeFixture(options: FakeOptions = {}): ConformanceFixture {
  return {
    name: 'the fake',
    create: (count) => createFakeConformanceNetwork(count, options),
    followsHints: true,
    cutsFrom: 'peers'
  }
}
