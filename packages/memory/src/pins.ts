import type { CID } from 'multiformats/cid'
import { inlineBytes, linksOf, nodeKey } from './dag.ts'
import { blockKey } from './key.ts'
import { hold, release } from './store.ts'
import type { MemoryStore } from './store.ts'

/** Blocks that a pin fetches at once. */
const window = 32

export interface Source {
  /** Throws when the block cannot be fetched at all. */
  readonly check: (cid: CID) => void
  readonly fetch: (cid: CID) => Promise<unknown>
}

/**
 * Protects what is below the root and fetches what is missing. All that is here already is protected before the first
 * wait, and the links of what arrives as soon as it is here: nothing is collected under a pin that is under way.
 */
export async function pinDag(
  store: MemoryStore,
  root: CID,
  recursive: boolean,
  { check, fetch }: Source
): Promise<void> {
  const { generation } = store
  const keys = new Set<string>()
  const sweep = createSweep(store, recursive, keys, check)
  try {
    for (let missing = sweep([root]); missing.length > 0;) {
      const batch = missing.slice(0, window)
      await Promise.all(batch.map(fetch))
      // What was fetched is looked up again: only what is stored is pinned.
      missing = [...sweep(batch), ...missing.slice(window)]
    }
  } catch (error) {
    // Who took over the store meanwhile has counted anew, without this pin.
    if (store.generation === generation) for (const key of keys) release(store, key)
    throw error
  }
  // Another call may have pinned it meanwhile: one record takes the place of the other, with its holds.
  const replaced = store.pins.get(nodeKey(root))
  if (replaced?.recursive === true && !recursive) for (const key of keys) release(store, key)
  else {
    store.pins.set(nodeKey(root), { cid: root, recursive, keys })
    for (const key of replaced?.keys ?? []) release(store, key)
  }
}

/** Walks from the given CIDs as far as the blocks are stored here, holds what it meets, and returns what is missing. */
function createSweep(
  store: MemoryStore,
  recursive: boolean,
  keys: Set<string>,
  check: (cid: CID) => void
): (from: readonly CID[]) => CID[] {
  const done = new Set<string>()
  return (from) => {
    const waiting = [...from]
    const missing = new Map<string, CID>()
    for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
      const node = nodeKey(cid)
      if (done.has(node)) continue
      const inline = inlineBytes(cid)
      const key = blockKey(cid)
      if (inline === undefined && !keys.has(key)) hold(store, key)
      if (inline === undefined) keys.add(key)
      const bytes = inline ?? store.blocks.get(key)?.bytes
      if (bytes === undefined) {
        check(cid)
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
