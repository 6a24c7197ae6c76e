import type { Stream } from '@libp2p/interface'
import { Frames } from './frames.ts'

/** While a frame is processed, a peer may send this many more bytes before it has to wait. */
const highWater = 256 * 1024

export interface ReaderOptions {
  readonly maxFrameBytes: number
  /** Takes one frame. The next frame comes when this has resolved. It does not reject. */
  frame(bytes: Uint8Array): Promise<void>
  /** Frames above the limit were skipped. */
  skipped(count: number): void
  /** No more frames will come. `broken`: some sent data may not have arrived. */
  end(broken: boolean): void
}

/**
 * Reads frames from a stream in order. The flow control of the connection holds back a peer that sends faster than its
 * frames are processed.
 */
export class Reader {
  readonly #stream: Stream
  readonly #options: ReaderOptions
  readonly #frames: Frames
  readonly #whole = Promise.withResolvers<boolean>()
  #working = false
  #closed = false
  #ended: { readonly broken: boolean } | undefined

  constructor(stream: Stream, options: ReaderOptions) {
    this.#stream = stream
    this.#options = options
    this.#frames = new Frames(options.maxFrameBytes)
    // Emitted when everything that was sent has been read, and when the stream has failed.
    stream.addEventListener('end', () => this.#end(stream.status === 'aborted' || stream.status === 'reset'))
    stream.addEventListener('close', ({ error }) => {
      if (error !== undefined) this.#end(true)
    })
    stream.addEventListener('message', ({ data }) => {
      this.#frames.push(data instanceof Uint8Array ? data : data.subarray())
      void this.#work()
    })
  }

  /** Whether frames may still come. */
  get open(): boolean {
    return this.#ended === undefined
  }

  /** Resolves at the end, with whether everything that was sent has been read. */
  get whole(): Promise<boolean> {
    return this.#whole.promise
  }

  /** No further frame is delivered. */
  close(): void {
    this.#closed = true
    this.#end(false)
    this.#stream.abort(new Error('closed by this side'))
  }

  #end(broken: boolean): void {
    if (this.#ended !== undefined) return
    this.#ended = { broken }
    if (!this.#working) this.#finish(broken)
  }

  #finish(broken: boolean): void {
    this.#whole.resolve(!broken && !this.#closed)
    this.#options.end(broken)
  }

  async #work(): Promise<void> {
    if (this.#working) {
      if (this.#frames.waiting > highWater && this.#stream.readStatus === 'readable') this.#stream.pause()
      return
    }
    this.#working = true
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        await this.#options.frame(frame)
        if (this.#closed) break
      }
    } catch (error) {
      this.#ended ??= { broken: true }
      this.#abort(error)
    }
    this.#working = false
    const skipped = this.#frames.takeSkipped()
    if (skipped > 0) this.#options.skipped(skipped)
    if (this.#ended !== undefined) this.#finish(this.#ended.broken)
    else if (this.#stream.readStatus === 'paused') this.#resume()
  }

  #resume(): void {
    try {
      this.#stream.resume()
    } catch (error) {
      // It sends a window update. The connection below may have ended without the stream knowing yet.
      this.#end(true)
      this.#abort(error)
    }
  }

  #abort(error: unknown): void {
    this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
  }
}
