import type { Clock } from '../clock.ts'
import { abortError, P2plError } from '../errors.ts'

/** A day, since timers do not accept `Infinity`. */
const longestWait = 86_400_000

/** Bytes that may wait in one queue. A caller that finds no room waits in line. An empty queue accepts any size. */
export class Room {
  readonly #topic: string
  readonly #size: number
  readonly #clock: Clock
  #used = 0
  readonly #line = new Map<
    symbol,
    { readonly bytes: number; readonly admit: () => void; readonly refuse: (error: P2plError) => void }
  >()

  constructor(topic: string, size: number, clock: Clock) {
    this.#topic = topic
    this.#size = size
    this.#clock = clock
  }

  get used(): number {
    return this.#used
  }

  get waiting(): number {
    return this.#line.size
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#size
  }

  /** Resolves when the bytes have a place. `expires` is in milliseconds of the clock. */
  async enter(bytes: number, expires: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#line.size === 0 && this.#fits(bytes)) {
      this.#used += bytes
      return
    }
    const key = Symbol('waiting')
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#line.delete(key)
      }
      const refuse = (error: P2plError): void => {
        settle()
        reject(error)
      }
      const onAbort = (): void => {
        refuse(abortError('publish', signal as AbortSignal))
        this.#advance()
      }
      const timer = this.#clock.setTimeout(
        () => {
          refuse(this.#full())
          this.#advance()
        },
        Math.min(Math.max(0, expires - this.#clock.now()), longestWait),
        { hold: true }
      )
      const admit = (): void => {
        settle()
        this.#used += bytes
        resolve()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#line.set(key, { bytes, admit, refuse })
    })
  }

  leave(bytes: number): void {
    this.#used -= bytes
    this.#advance()
  }

  #advance(): void {
    for (const { bytes, admit } of this.#line.values()) {
      if (!this.#fits(bytes)) return
      admit()
    }
  }

  /** Rejects all that wait. */
  stop(error: P2plError): void {
    for (const { refuse } of this.#line.values()) refuse(error)
  }

  #full(): P2plError {
    return new P2plError({
      code: 'OVERLOADED',
      operation: 'publish',
      message: `no room in the publish queue of topic "${this.#topic}" within the timeout: publish more slowly, or raise limits.maxPublishQueueBytes`
    })
  }
}
