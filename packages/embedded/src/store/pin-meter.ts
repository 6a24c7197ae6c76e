import { P2plError, type PinOptions } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** Counts the bytes and blocks that a pin holds. */
export class PinMeter {
  readonly #root: CID
  readonly #options: Pick<PinOptions, 'maxBytes' | 'onProgress'>
  #bytes = 0
  #blocks = 0

  constructor(root: CID, options: Pick<PinOptions, 'maxBytes' | 'onProgress'>) {
    this.#root = root
    this.#options = options
  }

  /** Adds a stored block of this size. Throws `TOO_LARGE` when the pin then holds too much. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.#blocks++
    const { maxBytes = Infinity, onProgress } = this.#options
    if (this.#bytes > maxBytes) {
      const message = `${this.#root.toString()} has more than the ${maxBytes} bytes that maxBytes allows`
      throw new P2plError({ code: 'TOO_LARGE', message })
    }
    onProgress?.({ bytes: this.#bytes, blocks: this.#blocks })
  }
}
