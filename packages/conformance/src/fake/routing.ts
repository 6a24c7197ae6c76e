import { P2plError, bytesKey, type RoutingHooks } from '@p2pl/core/backend'
import type { FakeEngine, FakeNetwork } from './network.ts'
import { peerInfo } from './peer-info.ts'

const scheme = 'fake:'

export function routingHooks(network: FakeNetwork, { id: own }: FakeEngine): RoutingHooks {
  return {
    provide: async ({ multihash }) => {
      if (network.connected(own).length === 0)
        throw new P2plError({ code: 'NO_PEERS', message: 'no peer is connected that could take the record' })
      const key = bytesKey(multihash.bytes)
      network.records.set(key, (network.records.get(key) ?? new Set()).add(own))
    },

    unprovide: async ({ multihash }) => {
      network.records.get(bytesKey(multihash.bytes))?.delete(own)
    },

    async *findProviders({ multihash }) {
      const ids = network.records.get(bytesKey(multihash.bytes))
      for (const { id } of network.connected(own)) if (ids?.has(id) === true) yield peerInfo(id)
    },

    findPeer: async (id) => {
      if (network.connected(own).some((other) => other.id === id)) return peerInfo(id)
      throw new P2plError({ code: 'NOT_FOUND', message: `no connected peer knows "${id}"` })
    },

    connect: async ({ id, addresses }) => {
      if (!addresses.includes(scheme + id) || !network.connect(own, id))
        throw new P2plError({ code: 'UNREACHABLE', message: `no address of "${id}" answers` })
    },

    disconnect: async (id) => network.disconnect(own, id),

    connections: async () => network.connected(own).map(({ id }) => peerInfo(id)),

    parseAddress: (text) =>
      text.startsWith(scheme) && text.length > scheme.length ? peerInfo(text.slice(scheme.length)) : undefined
  }
}
