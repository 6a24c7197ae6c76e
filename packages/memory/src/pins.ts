import type { CID } from 'multiformats/cid'
import { inlineBytes, linksOf, nodeKey } from './dag.ts'
import { blockKey } from './key.ts'
import type { MemoryStore } from './store.ts'

/** Blocks that a pin fetches at once. */
const window = 32

/** Resolves when the block is stored here. */
export type Fetch = (cid: CID) => Promise<unknown>

/**
 * Holds what is below the root, adds its multihashes to `keys`, and fetches what is missing. What is here already is held
 * before the first wait, and what arrives as soon as it is here: no collection removes it under a pin that is under way.
 */
export async function pinDag(
  store: MemoryStore,
  root: CID,
  recursive: boolean,
  keys: Set<string>,
  fetch: Fetch
): Promise<void> {
  const sweep = createSweep(store, recursive, keys)
  for (let missing = sweep([root]); missing.length > 0;) {
    const batch = missing.slice(0, window)
    await Promise.all(batch.map(fetch))
    // What was fetched is looked up again: only what is stored is pinned.
    missing = [...sweep(batch), ...missing.slice(window)]
  }
}

/** Walks from the given CIDs as far as the blocks are stored here, holds what it meets, and returns what is missing. */
function createSweep(store: MemoryStore, recursive: boolean, keys: Set<string>): (from: readonly CID[]) => CID[] {
  const done = new Set<string>()
  return (from) => {
    const waiting = [...from]
    const missing = new Map<string, CID>()
    for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
      const node = nodeKey(cid)
      if (done.has(node)) continue
      const inline = inlineBytes(cid)
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
      if (!recursive) continue
      // One by one: a block may have more links than a call takes as arguments.
      for (const link of linksOf('blocks.pin', { cid, bytes })) waiting.push(link)
    }
    return [...missing.values()]
  }
}
