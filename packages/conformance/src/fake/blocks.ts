import {
  P2plError,
  bytesKey,
  type Block,
  type BlockCapabilities,
  type BlockHooks,
  type GetBlockOptions
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { FakeEngine, FakeNetwork } from './network.ts'
import { FakePins } from './pins.ts'

export function blockHooks(network: FakeNetwork, { id, store }: FakeEngine, declared: BlockCapabilities): BlockHooks {
  const { blocks } = store
  const pins = new FakePins(store)
  const keyOf = (cid: CID): string => bytesKey(cid.multihash.bytes)
  const put = (block: Block): void => {
    blocks.set(keyOf(block.cid), block)
    network.changed()
  }

  const fetch = (cid: CID, keep: boolean): Uint8Array | undefined => {
    for (const other of network.connected(id)) {
      const bytes = other.store.blocks.get(keyOf(cid))?.bytes.slice()
      if (bytes === undefined) continue
      if (keep) put({ cid, bytes: bytes.slice() })
      return bytes
    }
    return undefined
  }

  const get = async (cid: CID, options: GetBlockOptions, keep = declared.keepsFetched): Promise<Uint8Array> => {
    const { local, remote, providers = [], signal } = options
    const asks = declared.remote && local !== true
    for (const provider of asks ? providers : []) network.connect(id, provider.id)
    const look = (): Uint8Array | undefined =>
      (remote === true ? undefined : blocks.get(keyOf(cid))?.bytes.slice()) ?? (asks ? fetch(cid, keep) : undefined)
    const found = look()
    if (found !== undefined) return found
    if (!asks) throw new P2plError({ code: 'NOT_FOUND', message: `${cid.toString()} is not stored here` })
    const later = Promise.withResolvers<Uint8Array>()
    const ignore = network.watch(() => {
      const bytes = look()
      if (bytes !== undefined) later.resolve(bytes)
    })
    const onAbort = (): void => later.reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await later.promise
    } finally {
      ignore()
      signal.removeEventListener('abort', onAbort)
    }
  }

  return {
    get,
    putMany: async (many) => many.forEach(put),
    has: async (cid) => blocks.has(keyOf(cid)),
    delete: async (cid) => {
      if (pins.protected().has(keyOf(cid)))
        throw new P2plError({ code: 'PINNED', message: `a pin holds ${cid.toString()}` })
      blocks.delete(keyOf(cid))
    },
    pin: async (cid, options) => await pins.pin(cid, options, async (at) => await get(at, options, true)),
    unpin: async (cid) => void store.pins.delete(keyOf(cid)),
    async *pins() {
      yield* store.pins.values()
    },
    async *gc() {
      for (const [key, { cid }] of blocks) {
        if (pins.protected().has(key)) continue
        blocks.delete(key)
        yield cid
      }
    }
  }
}
