import { isLeaf, linksOf, P2plError } from '@p2pl/core/backend'
import type { Progress } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { blockKey, nodeKey } from './key.ts'
import type { MemoryStore } from './store.ts'

/** Maximum number of blocks that a pin fetches at the same time. */
const window = 32
const identityHash = 0x00

export interface PinRequest {
  readonly root: CID
  /** Also hold everything below the root. */
  readonly recursive: boolean
  /** Maximum bytes that the pin may hold. Default: no limit. */
  readonly maxBytes?: number | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly signal: AbortSignal
  /** Resolves when the block is stored here. */
  readonly fetch: (cid: CID) => Promise<unknown>
}

/**
 * Holds everything below the root, adds the multihashes to `keys`, and fetches missing blocks. Blocks that are here are
 * held before the first wait, and others as soon as they arrive, so no gc removes them while the pin is under way.
 */
export async function walkPin(store: MemoryStore, request: PinRequest, keys: Set<string>): Promise<void> {
  const sweep = sweeper(store, request, keys)
  for (let missing = sweep([request.root]); missing.length > 0;) {
    const batch = missing.slice(0, window)
    await Promise.all(batch.map(request.fetch))
    // Fetched blocks are looked up again: only stored blocks are pinned.
    missing = [...sweep(batch), ...missing.slice(window)]
  }
}

/** Walks from the given CIDs as far as blocks are stored here, holds the blocks that it meets, and returns the missing ones. */
function sweeper(
  store: MemoryStore,
  { recursive, maxBytes = Infinity, onProgress }: PinRequest,
  keys: Set<string>
): (from: readonly CID[]) => CID[] {
  const done = new Set<string>()
  let [bytesDone, blocksDone] = [0, 0]
  return (from) => {
    const open = [...from]
    const missing = new Map<string, CID>()
    for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
      const node = nodeKey(cid)
      // An identity CID carries its block, and nothing is stored for it.
      const inline = cid.multihash.code === identityHash ? cid.multihash.digest : undefined
      if (done.has(node)) continue
      const key = blockKey(cid)
      if (inline === undefined && !keys.has(key)) {
        keys.add(key)
        store.hold(key)
      }
      const bytes = inline ?? store.get(cid)
      if (bytes === undefined) {
        missing.set(node, cid)
        continue
      }
      done.add(node)
      bytesDone += bytes.byteLength
      if (bytesDone > maxBytes)
        throw new P2plError({ code: 'TOO_LARGE', message: `the pin would hold more than its maxBytes, ${maxBytes}` })
      onProgress?.({ bytes: bytesDone, blocks: ++blocksDone })
      // Pushed one by one, because a block may have more links than a call can take as arguments.
      if (recursive) for (const link of linksBelow(cid, bytes)) open.push(link)
    }
    return [...missing.values()]
  }
}

function linksBelow(cid: CID, bytes: Uint8Array): readonly CID[] {
  if (isLeaf(cid.code)) return []
  let links: CID[] | undefined
  try {
    links = linksOf(cid, bytes)
  } catch (cause) {
    const message = `the bytes of ${cid.toString()} are no block of its codec, 0x${cid.code.toString(16)}`
    throw new P2plError({ code: 'INVALID_CONTENT', message, cause })
  }
  if (links !== undefined) return links
  const message = `the links of ${cid.toString()} are unknown here (codec 0x${cid.code.toString(16)}): pin it with recursive: false`
  throw new P2plError({ code: 'UNSUPPORTED', message })
}
