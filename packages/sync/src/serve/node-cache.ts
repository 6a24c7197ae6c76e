import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'

const maxBytes: number = 8 * 1024 * 1024

/** Bytes of new nodes, until they are handed over. When there are too many, the oldest are dropped first. */
export class NodeCache {
  readonly #nodes: Map<string, Bytes> = new Map()
  #bytes = 0

  get(digest: Bytes): Bytes | undefined {
    return this.#nodes.get(mapKey(digest))
  }

  add(digest: Bytes, bytes: Bytes): void {
    this.delete(digest)
    this.#nodes.set(mapKey(digest), bytes)
    this.#bytes += bytes.length
    for (const [oldest, { length }] of this.#nodes) {
      if (this.#bytes <= maxBytes) break
      this.#nodes.delete(oldest)
      this.#bytes -= length
    }
  }

  delete(digest: Bytes): void {
    const id = mapKey(digest)
    this.#bytes -= this.#nodes.get(id)?.length ?? 0
    this.#nodes.delete(id)
  }
}
