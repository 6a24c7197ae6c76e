import { abortError, type Clock, P2plError, throwIfAborted } from '@p2pl/core/backend'
import type { Call } from './call.ts'

/**
 * Ends a call when its time is over or its caller's signal fires, whether or not what runs inside looks at the signal
 * that it is given. What comes later is taken back by `call.discard`.
 */
export class Watchdog {
  /** For the inner call: fires with the error that the outer one rejects with. */
  readonly signal: AbortSignal
  readonly #abort: AbortController = new AbortController()
  readonly #clock: Clock
  readonly #limit: number
  readonly #call: Call
  #timer: unknown
  #error: P2plError | undefined
  #reject: ((error: P2plError) => void) | undefined

  constructor(clock: Clock, limit: number, call: Call) {
    throwIfAborted(call.operation, call.signal, call.backend)
    this.#clock = clock
    this.#limit = limit
    this.#call = call
    this.signal = this.#abort.signal
    call.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Starts the time anew. */
  start(): void {
    this.pause()
    if (this.#error === undefined) this.#timer = this.#clock.setTimeout(this.#onTimeout, this.#limit)
  }

  /** No time passes until the next `start`. */
  pause(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The outcome of the work, or the end of the watch, whichever comes first. One at a time. */
  guard<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error)
        return
      }
      this.#reject = reject
      void this.#settle(work, resolve, reject)
    })
  }

  async #settle<T>(
    work: () => Promise<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void
  ): Promise<void> {
    try {
      const value = await work()
      if (this.#error === undefined) resolve(value)
      else this.#call.discard?.(value)
    } catch (error) {
      reject(this.#error ?? error)
    }
  }

  /** Releases the timer and the listener. */
  end(): void {
    this.pause()
    this.#reject = undefined
    this.#call.signal?.removeEventListener('abort', this.#onAbort)
  }

  #onAbort = (): void => {
    this.#fail(abortError(this.#call.operation, this.#call.signal as AbortSignal, this.#call.backend))
  }

  #onTimeout = (): void => {
    const { operation, backend } = this.#call
    this.#fail(
      new P2plError({
        code: 'TIMEOUT',
        operation,
        backend,
        // A publish that timed out may have happened: it must not be repeated blindly.
        retryable: operation !== 'messages.publish',
        message: `${operation} gave no answer within its deadline of ${this.#limit} ms`
      })
    )
  }

  #fail(error: P2plError): void {
    this.#error ??= error
    this.pause()
    this.#abort.abort(this.#error)
    this.#reject?.(this.#error)
  }
}
