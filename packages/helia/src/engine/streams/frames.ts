/** The most bytes of a length that fits a safe integer. */
const maxLengthBytes = 7

/**
 * Splits the bytes of a stream into frames, each preceded by its length (unsigned varint). A frame above the limit is
 * skipped while it arrives: it takes no memory, and the stream continues after it.
 */
export class Frames {
  readonly #maxBytes: number
  #chunks: Uint8Array[] = []
  #index = 0
  #offset = 0
  #waiting = 0
  #length = 0
  #lengthBytes = 0
  #frame: Uint8Array | undefined
  #filled = 0
  #toSkip = 0
  #skipped = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that `next` has not read yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** The number of skipped frames since the last call. */
  takeSkipped(): number {
    const count = this.#skipped
    this.#skipped = 0
    return count
  }

  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#chunks.push(chunk)
    this.#waiting += chunk.byteLength
  }

  /** The next complete frame. Throws when the bytes are not valid frames. */
  next(): Uint8Array | undefined {
    for (let chunk = this.#chunks[this.#index]; chunk !== undefined; chunk = this.#chunks[this.#index]) {
      if (this.#toSkip > 0) this.#toSkip -= this.#read(chunk, this.#toSkip).byteLength
      else if (this.#frame === undefined) this.#begin(chunk)
      else {
        const part = this.#read(chunk, this.#frame.byteLength - this.#filled)
        this.#frame.set(part, this.#filled)
        this.#filled += part.byteLength
      }
      if (this.#frame !== undefined && this.#filled === this.#frame.byteLength) return this.#end(this.#frame)
    }
    return undefined
  }

  /** Takes one byte of a frame's length. If it was the last one, begins the frame. */
  #begin(chunk: Uint8Array): void {
    const byte = this.#read(chunk, 1)[0] as number
    if (this.#lengthBytes === maxLengthBytes) throw new Error('the length of a frame is too large')
    this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++)
    if (byte >= 0x80) return
    if (this.#length <= this.#maxBytes) {
      this.#frame = new Uint8Array(this.#length)
      this.#filled = 0
    } else {
      this.#toSkip = this.#length
      this.#skipped++
    }
    this.#length = 0
    this.#lengthBytes = 0
  }

  #end(frame: Uint8Array): Uint8Array {
    this.#frame = undefined
    return frame
  }

  /** Takes at most `count` bytes of the chunk. */
  #read(chunk: Uint8Array, count: number): Uint8Array {
    const part = chunk.subarray(this.#offset, this.#offset + count)
    this.#offset += part.byteLength
    this.#waiting -= part.byteLength
    if (this.#offset === chunk.byteLength) {
      this.#offset = 0
      this.#index++
      if (this.#index === this.#chunks.length) {
        this.#chunks = []
        this.#index = 0
      }
    }
    return part
  }
}
