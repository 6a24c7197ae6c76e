/** The approximate cost of an entry in addition to its bytes. An empty block is not free. */
const overhead = 256

/**
 * Byte arrays up to a total size. The one used longest ago is removed first. Copies go in and out, since a reader may
 * change the bytes.
 */
export class LruBytes {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Uint8Array | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return new Uint8Array(found)
  }

  set(key: string, bytes: Uint8Array): void {
    this.delete(key)
    if (bytes.byteLength + overhead > this.#maxBytes) return
    this.#entries.set(key, new Uint8Array(bytes))
    this.#bytes += bytes.byteLength + overhead
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const bytes = this.#entries.get(key)
    if (bytes === undefined) return
    this.#entries.delete(key)
    this.#bytes -= bytes.byteLength + overhead
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}
