import {
  aroundCalls,
  bytesKey,
  checkKeys,
  checkNumber,
  isBytes,
  type Layer,
  type LayerCall,
  throwIfAborted,
  verifyBlock
} from '@p2pl/core/backend'
import { LruBytes } from './internal/lru-bytes.ts'

export interface CacheOptions {
  /** Maximum bytes of blocks that are kept in memory. Default 64 MiB. */
  maxBytes?: number | undefined
}

/**
 * Keeps in memory the most recently used blocks that `get` returned, after checking their hash. A `get` with `local` or
 * `remote` always asks the backend, since the cache is neither the local store nor another peer. Its block is cached as
 * well. A delete, a gc and a stop clear the cache.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function cache(options: CacheOptions = {}): Layer {
  checkKeys('cache', options, ['maxBytes'])
  const maxBytes = checkNumber('cache', 'maxBytes', options.maxBytes, { min: 0 }, 64 * 1024 * 1024)

  return (backend) => {
    const blocks = new LruBytes(maxBytes)
    /** Increases whenever blocks may have been removed. A get that began earlier caches nothing. */
    let era = 0
    const forget = (key?: string): void => {
      era++
      if (key === undefined) blocks.clear()
      else blocks.delete(key)
    }

    const get = async (call: LayerCall, run: () => Promise<unknown>): Promise<unknown> => {
      const { operation, options: given } = call
      const key = keyOf(call)
      if (key === undefined) return await run()
      throwIfAborted(operation, given.signal, call.backend)
      const kept = given.local === true || given.remote === true ? undefined : blocks.get(key)
      if (kept !== undefined) return kept
      const began = era
      const bytes = await run()
      if (isBytes(bytes) && (await isGood(call, bytes)) && began === era) blocks.set(key, bytes)
      return bytes
    }

    return aroundCalls({
      call: async (call, run) => {
        if (call.operation === 'blocks.get') return (await get(call, run)) as Awaited<ReturnType<typeof run>>
        if (call.operation === 'stop') forget()
        if (call.operation !== 'blocks.delete') return await run()
        try {
          return await run()
        } finally {
          forget(keyOf(call))
        }
      },
      iterate: async function* (call, run) {
        try {
          yield* run()
        } finally {
          if (call.operation === 'blocks.gc') forget()
        }
      }
    })(backend)
  }
}

/** Blocks are found by their multihash. `undefined` if the argument is not a CID; the backend refuses it. */
function keyOf({ cid }: LayerCall): string | undefined {
  const bytes: unknown = cid?.multihash?.bytes
  return isBytes(bytes) ? bytesKey(bytes) : undefined
}

async function isGood({ cid, operation, backend }: LayerCall, bytes: Uint8Array): Promise<boolean> {
  try {
    await verifyBlock(cid as NonNullable<typeof cid>, bytes, operation, backend)
    return true
  } catch {
    // Core reports the wrong bytes, and asks other peers.
    return false
  }
}
