import type { CID } from 'multiformats/cid'
import type { Blocks } from '../api/blocks.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'
import { bytesKey } from '../toolbox/bytes.ts'

const maxKept = 65_536

/** Unpinned blocks of strangers' payloads in this peer's store. They serve others for a while. The oldest are removed first. */
export class FetchedBlocks {
  readonly #blocks: Blocks
  readonly #maxBytes: number
  readonly #kept = new BoundedMap<string, { readonly cid: CID; readonly size: number }>(maxKept, (_key, oldest) => {
    this.#delete(oldest)
  })
  #bytes = 0

  constructor(blocks: Blocks, maxBytes: number) {
    this.#blocks = blocks
    this.#maxBytes = maxBytes
  }

  /** A block arrived that was not here before. */
  add(cid: CID, size: number): void {
    const key = bytesKey(cid.multihash.bytes)
    if (this.#kept.touch(key) !== undefined) return
    this.#bytes += size
    this.#kept.set(key, { cid, size })
    for (const [oldestKey, oldest] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return
      this.#kept.delete(oldestKey)
      this.#delete(oldest)
    }
  }

  /** The block no longer belongs to a stranger alone, so it stays. */
  release(cid: CID): void {
    const key = bytesKey(cid.multihash.bytes)
    this.#bytes -= this.#kept.get(key)?.size ?? 0
    this.#kept.delete(key)
  }

  /** Best effort: a pinned block stays, and a failing store reports its errors through the app's own calls. */
  #delete({ cid, size }: { readonly cid: CID; readonly size: number }): void {
    this.#bytes -= size
    this.#blocks.delete(cid).catch(() => undefined)
  }
}
