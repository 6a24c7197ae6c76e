import { readUint32 } from '../../tools/bytes.ts'

const headLength = 4
const firstCapacity = 4_096

/** One frame as it was read. Its body may share memory with other frames: copy what you keep. */
export interface Frame {
  readonly kind: number
  readonly body: Uint8Array
}

/** The bytes announce a frame that this version does not accept. */
export class FrameError extends Error {}

/**
 * Splits a stream of bytes into frames: four bytes of length, one of kind, the body. The buffer grows with the bytes
 * that have arrived, never with a length that is only claimed. It doubles, so a frame that arrives byte by byte costs
 * no more than one that arrives at once.
 */
export class FrameReader {
  readonly #limitOf: (kind: number) => number
  #buffer: Uint8Array = new Uint8Array()
  #start = 0
  #end = 0
  /** Whether the buffer belongs to this reader; otherwise it is a chunk from the socket. */
  #owned = false

  /** `limitOf`: the most bytes of a body of the given kind. */
  constructor(limitOf: (kind: number) => number) {
    this.#limitOf = limitOf
  }

  /** Bytes that have arrived but were not taken. */
  get size(): number {
    return this.#end - this.#start
  }

  /** Whether `take` has a frame to return or to refuse. */
  get ready(): boolean {
    if (this.size < headLength + 1) return false
    const length = this.#length()
    return this.size >= headLength + length || this.#refuses(length)
  }

  push(part: Uint8Array): void {
    if (this.size === 0) {
      // Most chunks contain whole frames, which are read in place.
      this.#buffer = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
      this.#owned = false
      this.#start = 0
      this.#end = part.byteLength
      return
    }
    this.#reserve(part.byteLength)
    this.#buffer.set(part, this.#end)
    this.#end += part.byteLength
  }

  /** The next frame; `undefined` until it has arrived. Throws `FrameError` for a frame that is empty or too long. */
  take(): Frame | undefined {
    if (!this.ready) return undefined
    const length = this.#length()
    if (this.#refuses(length)) throw new FrameError(`a frame of kind ${this.#kind()} claims ${length} bytes`)
    const from = this.#start + headLength
    const frame = { kind: this.#kind(), body: this.#buffer.subarray(from + 1, from + length) }
    this.#start = from + length
    // An idle link keeps no memory.
    if (this.size === 0) this.#buffer = new Uint8Array()
    return frame
  }

  #length(): number {
    return readUint32(this.#buffer, this.#start)
  }

  #kind(): number {
    return this.#buffer[this.#start + headLength] ?? 0
  }

  #refuses(length: number): boolean {
    return length === 0 || length - 1 > this.#limitOf(this.#kind())
  }

  /** Frames that were handed out keep their memory, so new room is after them or in another buffer. */
  #reserve(more: number): void {
    const { size } = this
    if (this.#owned && this.#end + more <= this.#buffer.byteLength) return
    const grown = new Uint8Array(Math.max(firstCapacity, (size + more) * 2))
    grown.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = grown
    this.#owned = true
    this.#start = 0
    this.#end = size
  }
}
