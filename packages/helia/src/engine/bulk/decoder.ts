import { blockHeaderBytes, BreachError, headerBytes, Kind, limits } from './frames.ts'

export interface FrameHandler {
  /** A block is arriving. Returns whether it is wanted; otherwise its bytes are skipped. Throws if nobody asked for it. */
  expects(id: number): boolean
  block(id: number, bytes: Uint8Array): void
  /** Any other frame. Its kind may be unknown. The body is only valid during the call. */
  frame(kind: number, body: Uint8Array): void
}

/**
 * Splits the bytes of a channel into frames. The bytes of a block are copied once, straight to their final place.
 * Memory is allocated for one frame at a time, and for a block only if it was requested.
 */
export class Decoder {
  readonly #handler: FrameHandler
  readonly #head = new Uint8Array(blockHeaderBytes)
  #headFilled = 0
  #kind = 0
  #id = 0
  /** The frame in progress, and how much of it has arrived. */
  #body: Uint8Array | undefined
  #filled = 0
  #toSkip = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** Throws when the bytes are not valid frames, and rethrows errors of the handler. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength;) at = this.#step(chunk, at)
  }

  #step(chunk: Uint8Array, at: number): number {
    const here = chunk.byteLength - at
    if (this.#toSkip > 0) {
      const skipped = Math.min(this.#toSkip, here)
      this.#toSkip -= skipped
      return at + skipped
    }
    if (this.#body === undefined) return this.#readHead(chunk, at)
    const count = Math.min(this.#body.byteLength - this.#filled, here)
    this.#body.set(chunk.subarray(at, at + count), this.#filled)
    this.#filled += count
    if (this.#filled === this.#body.byteLength) this.#end(this.#body)
    return at + count
  }

  #readHead(chunk: Uint8Array, from: number): number {
    const head = this.#head
    let at = from
    while (this.#headFilled < headerBytes && at < chunk.byteLength) head[this.#headFilled++] = chunk[at++] as number
    if (this.#headFilled < headerBytes) return at
    const isBlock = head[headerBytes - 1] === Kind.block
    if (isBlock) {
      while (this.#headFilled < blockHeaderBytes && at < chunk.byteLength)
        head[this.#headFilled++] = chunk[at++] as number
      if (this.#headFilled < blockHeaderBytes) return at
    }
    this.#headFilled = 0
    this.#kind = head[headerBytes - 1] as number
    const length = numberAt(head, 0) - (isBlock ? blockHeaderBytes - headerBytes : 0)
    if (length < 0 || length > (isBlock ? limits.blockBytes : limits.bodyBytes))
      throw new BreachError(`a frame of kind ${this.#kind} says that it has ${length} bytes`)
    if (isBlock) {
      this.#id = numberAt(head, headerBytes)
      if (!this.#handler.expects(this.#id)) {
        this.#toSkip = length
        return at
      }
    }
    return this.#begin(chunk, at, length)
  }

  #begin(chunk: Uint8Array, at: number, length: number): number {
    const end = at + length
    if (end > chunk.byteLength) {
      this.#body = new Uint8Array(length)
      this.#filled = 0
      return at
    }
    // The frame is whole in this chunk, as most small frames are. A block is kept, so its bytes are copied.
    const body = chunk.subarray(at, end)
    this.#end(this.#kind === Kind.block ? new Uint8Array(body) : body)
    return end
  }

  #end(body: Uint8Array): void {
    this.#body = undefined
    if (this.#kind === Kind.block) this.#handler.block(this.#id, body)
    else this.#handler.frame(this.#kind, body)
  }
}

function numberAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  )
}
