import { type Block, bytesKey } from '@p2pl/core/backend'
import type { Leg } from '../legs/leg.ts'

type Cid = Block['cid']

interface Entry {
  readonly leg: Leg
  readonly cid: Cid
  readonly bytes: number
  /** The contents that the block belongs to. */
  readonly roots: Set<string>
}

/**
 * The blocks that a bridge has brought into the stores of its legs. Blocks of the contents that were carried longest ago
 * are removed first.
 */
export class Kept {
  readonly #maxBytes: number
  #bytes = 0
  readonly #entries = new Map<string, Entry>()
  /** The contents and their blocks, the oldest first. */
  readonly #roots = new Map<string, Set<string>>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(leg: Leg, root: Cid, cid: Cid, bytes: number): void {
    const key = `${leg.name}/${bytesKey(cid.multihash.bytes)}`
    const rootKey = bytesKey(root.multihash.bytes)
    const entry = this.#entries.get(key) ?? { leg, cid, bytes, roots: new Set<string>() }
    if (entry.roots.size === 0) this.#bytes += bytes
    entry.roots.add(rootKey)
    this.#entries.set(key, entry)
    const blocks = this.#roots.get(rootKey) ?? new Set<string>()
    blocks.add(key)
    this.#roots.set(rootKey, blocks)
  }

  /** Removes the excess. A block that was pinned meanwhile stays, and no longer counts. */
  async shrink(): Promise<void> {
    for (const [root, blocks] of this.#roots) {
      if (this.#bytes <= this.#maxBytes) return
      this.#roots.delete(root)
      for (const key of blocks) await this.#release(key, root)
    }
  }

  async #release(key: string, root: string): Promise<void> {
    const entry = this.#entries.get(key)
    if (entry === undefined || !entry.roots.delete(root) || entry.roots.size > 0) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    await entry.leg.backend.blocks?.delete(entry.cid).catch(() => undefined)
  }
}
