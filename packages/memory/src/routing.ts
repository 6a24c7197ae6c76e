import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Engine, Member } from './engine.ts'
import { failure } from './errors.ts'
import { asCid, blockKey, dialable, peerInfo } from './key.ts'
import type { Lifecycle } from './lifecycle.ts'

const defaultLimit = 20

export function createRouting(engine: Engine, member: Member, lifecycle: Lifecycle): Routing {
  return {
    async provide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.provide', options?.signal)
      const key = blockKey(asCid('routing.provide', cid))
      await lifecycle.wait<void>('routing.provide', options?.signal, (resolve, reject) =>
        engine.provide(member, key, { resolve, reject })
      )
      member.store.provided.add(key)
    },

    async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.unprovide', options?.signal)
      const key = blockKey(asCid('routing.unprovide', cid))
      member.store.provided.delete(key)
      engine.unprovide(member, key)
    },

    async *findProviders(cid: CID, options: FindProvidersOptions = {}): AsyncGenerator<PeerInfo> {
      const { limit = defaultLimit, signal } = options
      lifecycle.assert('routing.findProviders', signal)
      if (!Number.isInteger(limit) || limit < 1)
        throw failure('INVALID_ARGUMENT', 'routing.findProviders', `limit is a whole number from 1, not ${limit}`)
      const key = blockKey(asCid('routing.findProviders', cid))
      const ids = await lifecycle.wait<readonly string[]>('routing.findProviders', signal, (resolve, reject) =>
        engine.findProviders(member, key, limit, { resolve, reject })
      )
      for (const id of ids) {
        lifecycle.assert('routing.findProviders', signal)
        yield peerInfo(id)
      }
    },

    async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
      return await lifecycle.wait<PeerInfo>('routing.findPeer', options?.signal, (resolve, reject) =>
        engine.findPeer(member, id, { resolve, reject })
      )
    },

    async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.connect', options?.signal)
      const id = dialable(peer)
      if (id !== peer.id) throw failure('UNREACHABLE', 'routing.connect', `at "memory:${id}" there is no "${peer.id}"`)
      if (id === member.id) throw failure('INVALID_ARGUMENT', 'routing.connect', `"${id}" is this participant itself`)
      await lifecycle.wait<void>('routing.connect', options?.signal, (resolve, reject) =>
        engine.connect(member, id, { resolve, reject })
      )
    },

    async disconnect(id: string, options?: AbortOptions): Promise<void> {
      lifecycle.assert('routing.disconnect', options?.signal)
      engine.disconnect(member, id)
    },

    async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
      lifecycle.assert('routing.connections', options?.signal)
      return engine.connections(member).map(peerInfo)
    }
  }
}
