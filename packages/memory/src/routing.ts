import { P2plError } from '@p2pl/core/backend'
import type { RoutingHooks } from '@p2pl/core/backend'
import { parseAddress, peerInfo } from './address.ts'
import type { Endpoint, MemoryNetwork } from './network.ts'

export function routingHooks(network: MemoryNetwork, { id: own }: Endpoint): RoutingHooks {
  return {
    provide: async (cid) => {
      network.provide(own, cid)
    },

    unprovide: async (cid) => {
      network.unprovide(own, cid)
    },

    async *findProviders(cid) {
      for (const id of network.providers(own, cid)) yield peerInfo(network.name, id)
    },

    findPeer: async (id) => {
      if (id === own || network.reaches(own, id)) return peerInfo(network.name, id)
      throw new P2plError({ code: 'NOT_FOUND', message: `no peer "${id}" is in reach` })
    },

    connect: async ({ id, addresses }) => {
      const [there = id] = addresses.flatMap((address) => parseAddress(network.name, address)?.id ?? [])
      if (there !== id)
        throw new P2plError({ code: 'UNREACHABLE', message: `the peer at "memory:${there}" is not "${id}"` })
      network.connect(own, id)
    },

    disconnect: async (id) => {
      network.disconnect(own, id)
    },

    connections: async () => network.connections(own).map((id) => peerInfo(network.name, id)),

    parseAddress: (text) => parseAddress(network.name, text)
  }
}
