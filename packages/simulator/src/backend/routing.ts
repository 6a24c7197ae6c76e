import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { blockKey } from '@p2pl/memory'
import { dialable, peerInfo } from '../address.ts'
import { failure } from '../errors.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import { asCid } from './blocks.ts'
import type { Lifecycle } from './lifecycle.ts'

const defaultLimit = 20

export function createRouting(network: SimulatedNetwork, endpoint: Endpoint, lifecycle: Lifecycle): Routing {
  return {
    async provide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.provide', options?.signal)
      const checked = asCid('routing.provide', cid)
      await lifecycle.wait<void>('routing.provide', options?.signal, (resolve, reject) =>
        network.provide(endpoint, checked, { resolve, reject })
      )
      endpoint.store.provided.add(blockKey(checked))
    },

    async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.unprovide', options?.signal)
      const key = blockKey(asCid('routing.unprovide', cid))
      endpoint.store.provided.delete(key)
      network.records.remove(key, network.node(endpoint.id))
    },

    async *findProviders(cid: CID, options: FindProvidersOptions = {}): AsyncGenerator<PeerInfo> {
      const { limit = defaultLimit, signal } = options
      lifecycle.assert('routing.findProviders', signal)
      if (!Number.isInteger(limit) || limit < 1)
        throw failure('INVALID_ARGUMENT', 'routing.findProviders', `limit is a whole number from 1, not ${limit}`)
      const checked = asCid('routing.findProviders', cid)
      const ids = await lifecycle.wait<readonly string[]>('routing.findProviders', signal, (resolve, reject) =>
        network.findProviders(endpoint, checked, limit, { resolve, reject })
      )
      for (const id of ids) {
        lifecycle.assert('routing.findProviders', signal)
        yield peerInfo(id)
      }
    },

    async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
      return await lifecycle.wait<PeerInfo>('routing.findPeer', options?.signal, (resolve, reject) =>
        network.findPeer(endpoint, id, { resolve, reject })
      )
    },

    async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.connect', options?.signal)
      const id = dialable(peer)
      if (id !== peer.id)
        throw failure(
          'UNREACHABLE',
          'routing.connect',
          `another peer than "${peer.id}" answers at "${peerInfo(id).addresses[0]}"`
        )
      if (id === endpoint.id) throw failure('INVALID_ARGUMENT', 'routing.connect', `"${id}" is this peer itself`)
      await lifecycle.wait<void>('routing.connect', options?.signal, (resolve, reject) =>
        network.connect(endpoint, id, { resolve, reject })
      )
    },

    async disconnect(id: string, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.disconnect', options?.signal)
      network.disconnect(endpoint, id)
    },

    async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
      lifecycle.assert('routing.connections', options?.signal)
      return network.connections(endpoint).map(peerInfo)
    }
  }
}
