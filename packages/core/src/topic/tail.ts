import type { Clock } from '../clock.ts'

/** The first repetition comes this many milliseconds after the last message. Each further delay is three times as long. */
const first = 3_000
const last = 300_000

export interface TailOptions {
  readonly clock: Clock
  /** Milliseconds for one envelope. */
  readonly timeout: number
  /** Publishes an envelope without messages. */
  readonly send: (signal: AbortSignal) => Promise<void>
  /** Called when there is nothing left to tell. */
  readonly onEnd: () => void
}

/**
 * After the last message, empty envelopes tell how many there were, so that receivers that lost the end of the stream
 * notice it even when nothing follows.
 */
export class Tail {
  readonly #options: TailOptions
  #timer: unknown
  #sending = false
  #stopped = false

  constructor(options: TailOptions) {
    this.#options = options
  }

  get ended(): boolean {
    return this.#timer === undefined && !this.#sending
  }

  schedule(delay: number = first): void {
    const { clock, onEnd } = this.#options
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped) return
    if (delay > last) {
      onEnd()
      return
    }
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      void this.#send().then(() => {
        // A message that was published meanwhile has begun a new tail.
        if (this.#timer === undefined) this.schedule(delay * 3)
      })
    }, delay)
  }

  /** Never rejects: nobody asked for this envelope, and the next one tells the same. */
  async #send(): Promise<void> {
    const { clock, timeout, send } = this.#options
    const controller = new AbortController()
    const timer = clock.setTimeout(() => {
      controller.abort()
    }, timeout)
    this.#sending = true
    try {
      await send(controller.signal)
    } catch {
      // The next one comes anyway.
    } finally {
      this.#sending = false
      clock.clearTimeout(timer)
    }
  }

  /** Sends it now, for the last time. */
  async finish(): Promise<void> {
    if (this.#timer === undefined) return
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#send()
  }

  stop(): void {
    this.#stopped = true
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
