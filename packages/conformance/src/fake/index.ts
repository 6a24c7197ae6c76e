import type { ConformanceFixture, ConformanceNetwork } from '../fixture.ts'
import { fakeBackend, type FakeBackend, type FakeOptions } from './backend.ts'
import { createFakeStore, FakeNetwork } from './network.ts'

export { fakeBackend, fakeCapabilities } from './backend.ts'
export type { FakeBackend, FakeOptions } from './backend.ts'
export { createFakeStore, FakeNetwork } from './network.ts'
export type { FakeEngine, FakeStore } from './network.ts'

/** A network of fakes in this process, for the kit's own tests and for tests of layers. */
export function createFakeConformanceNetwork(count: number, options: FakeOptions = {}): ConformanceNetwork {
  const network = new FakeNetwork()
  const stores = Array.from({ length: count }, createFakeStore)
  const idOf = (index: number): string => stores[index]?.id ?? ''
  const make = (index: number): FakeBackend => {
    const store = stores[index]
    if (store === undefined) throw new RangeError(`the network has ${count} backends; there is none at ${index}`)
    return fakeBackend(network, store, options)
  }
  return {
    backends: stores.map((_store, index) => make(index)),
    link: async () => {
      for (const a of network.engines.keys()) for (const b of network.engines.keys()) network.connect(a, b)
    },
    reopen: async (index) => make(index),
    cut: async (index) => {
      const heal = network.cut(idOf(index))
      return async () => heal()
    },
    obstruct: async (index) => {
      network.obstructed.add(idOf(index))
      return async () => void network.obstructed.delete(idOf(index))
    }
  }
}

/** The fixture for the fake. */
export function fakeFixture(options: FakeOptions = {}): ConformanceFixture {
  return {
    name: 'the fake',
    create: (count) => createFakeConformanceNetwork(count, options),
    followsHints: true,
    cutsFrom: 'peers'
  }
}
