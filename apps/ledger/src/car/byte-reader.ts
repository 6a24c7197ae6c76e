/** Reads bytes from chunks of any size. It holds no more than the requested bytes and the last chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #buffer: Uint8Array = new Uint8Array(0)
  #ended = false
  #offset = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset
  }

  /** Takes exactly this many bytes. Returns `undefined`, and takes nothing, if there are fewer. */
  async take(length: number): Promise<Uint8Array | undefined> {
    if (this.#buffer.byteLength < length && !(await this.#fill(length))) return undefined
    const bytes = this.#buffer.subarray(0, length)
    this.#drop(length)
    return bytes
  }

  async skip(length: number): Promise<boolean> {
    for (let left = length; left > 0;) {
      if (this.#buffer.byteLength === 0 && !(await this.#fill(1))) return false
      const step = Math.min(left, this.#buffer.byteLength)
      this.#drop(step)
      left -= step
    }
    return true
  }

  /** Bytes that were read but not taken. */
  rest(): Uint8Array {
    return this.#buffer
  }

  /**
   * An unsigned LEB128 number of at most seven bytes; `end` if the data ends before its first byte, `cut` if before its
   * last.
   */
  async varint(): Promise<number | 'end' | 'cut' | 'wrong'> {
    let value = 0
    for (let i = 0; i < 7; i++) {
      const byte = (await this.take(1))?.[0]
      if (byte === undefined) return i === 0 ? 'end' : 'cut'
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    return 'wrong'
  }

  /** Tells the source that no more data is wanted. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#chunks.return?.()
  }

  #drop(length: number): void {
    this.#buffer = this.#buffer.subarray(length)
    this.#offset += length
  }

  async #fill(length: number): Promise<boolean> {
    const parts = [this.#buffer]
    let size = this.#buffer.byteLength
    while (size < length && !this.#ended) {
      const item = await this.#chunks.next()
      if (item.done === true) this.#ended = true
      else {
        parts.push(item.value)
        size += item.value.byteLength
      }
    }
    this.#buffer = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    return size >= length
  }
}
