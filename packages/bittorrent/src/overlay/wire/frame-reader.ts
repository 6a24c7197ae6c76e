import { readUint32 } from '../../tools/bytes.ts'

const headLength = 4
const firstCapacity = 4_096

/** One frame as it was read. Its body may share memory with other frames: copy what is kept. */
export interface Frame {
  readonly kind: number
  readonly body: Uint8Array
}

/** The bytes claim a frame that this version does not take. */
export class FrameError extends Error {}

/**
 * Cuts a stream of bytes into frames: four bytes of length, one of kind, the body. The buffer grows with the bytes that have
 * arrived, never with a length that is only claimed, and it doubles, so that a frame which comes byte by byte costs no more
 * than one that comes whole.
 */
export class FrameReader {
  readonly #limitOf: (kind: number) => number
  #buffer: Uint8Array = new Uint8Array()
  #start = 0
  #end = 0
  /** Whether the buffer is this reader's own; else it is a part as it came from the socket. */
  #owned = false

  /** `limitOf`: the longest body of a kind. */
  constructor(limitOf: (kind: number) => number) {
    this.#limitOf = limitOf
  }

  /** Bytes that have arrived and were not taken. */
  get size(): number {
    return this.#end - this.#start
  }

  /** Whether `take` has something to give, or to refuse. */
  get ready(): boolean {
    if (this.size < headLength + 1) return false
    const length = this.#length()
    return this.size >= headLength + length || this.#refuses(length)
  }

  push(part: Uint8Array): void {
    if (this.size === 0) {
      // Most parts hold whole frames: they are read where they are.
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

  /** The next frame; `undefined` until it has arrived. Throws `FrameError` for one that is empty or too long. */
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

  /** Frames that were handed out keep their memory: room is made behind them, or elsewhere. */
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
