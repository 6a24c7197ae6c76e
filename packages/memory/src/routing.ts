import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { failure } from './errors.ts'
import { asCid, dialable, peerInfo } from './key.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Endpoint, MemoryNetwork } from './network.ts'

const defaultLimit = 20

export function createRouting(network: MemoryNetwork, endpoint: Endpoint, lifecycle: Lifecycle): Routing {
  const { id: self } = endpoint
  return {
    async provide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.provide', options?.signal)
      network.provide(endpoint, asCid('routing.provide', cid))
    },

    async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.unprovide', options?.signal)
      network.unprovide(endpoint, asCid('routing.unprovide', cid))
    },

    async *findProviders(cid: CID, options: FindProvidersOptions = {}): AsyncGenerator<PeerInfo> {
      const { limit = defaultLimit, signal } = options
      lifecycle.assert('routing.findProviders', signal)
      if (!Number.isInteger(limit) || limit < 1)
        throw failure('INVALID_ARGUMENT', 'routing.findProviders', `limit is a whole number from 1, not ${limit}`)
      for (const id of network.providers(self, asCid('routing.findProviders', cid)).slice(0, limit)) {
        lifecycle.assert('routing.findProviders', signal)
        yield peerInfo(id)
      }
    },

    async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
      lifecycle.assert('routing.findPeer', options?.signal)
      if (id === self || network.reaches(self, id)) return peerInfo(id)
      throw failure('NOT_FOUND', 'routing.findPeer', `no peer in reach knows "${id}"`)
    },

    async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.connect', options?.signal)
      const id = dialable(peer)
      if (id !== peer.id) throw failure('UNREACHABLE', 'routing.connect', `at "memory:${id}" there is no "${peer.id}"`)
      if (id === self) throw failure('INVALID_ARGUMENT', 'routing.connect', `"${id}" is this peer itself`)
      network.connect(self, id)
    },

    async disconnect(id: string, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.disconnect', options?.signal)
      network.disconnect(self, id)
    },

    async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
      lifecycle.assert('routing.connections', options?.signal)
      return network.connections(self).map(peerInfo)
    }
  }
}
