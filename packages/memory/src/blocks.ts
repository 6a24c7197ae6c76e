import { P2plError } from '@p2pl/core/backend'
import type { BlockHooks } from '@p2pl/core/backend'
import type { Endpoint, MemoryNetwork } from './network.ts'

export function blockHooks(network: MemoryNetwork, endpoint: Endpoint, maxBytes: number): BlockHooks {
  const { store } = endpoint
  return {
    get: async (cid, { local, remote = false, providers = [], signal }) => {
      const own = remote ? undefined : store.get(cid)
      if (own !== undefined) return own
      if (local === true) throw new P2plError({ code: 'NOT_FOUND', message: `${cid.toString()} is not stored here` })
      const hints = providers.map(({ id }) => id)
      return await network.find({ by: endpoint, cid, remote, hints, maxBytes, signal })
    },

    putMany: async (blocks) => {
      for (const block of blocks) {
        store.put(block)
        network.stored(block.cid)
      }
    },

    has: async (cid) => store.has(cid),

    delete: async (cid) => {
      store.delete(cid)
    },

    pin: async (root, { recursive = true, providers = [], maxBytes: maxPinBytes, onProgress, signal }) => {
      const hints = providers.map(({ id }) => id)
      await store.pin({
        root,
        recursive,
        maxBytes: maxPinBytes,
        onProgress,
        signal,
        fetch: (cid) => network.find({ by: endpoint, cid, remote: false, hints, maxBytes, signal })
      })
    },

    unpin: async (cid) => {
      store.unpin(cid)
    },

    async *pins() {
      for (const { cid, recursive } of store.pins.values()) yield { cid, recursive }
    },

    async *gc() {
      yield* store.gc()
    }
  }
}
