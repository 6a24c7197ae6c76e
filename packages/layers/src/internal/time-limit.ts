import {
  abortError,
  type Clock,
  giveUpAfter,
  P2plError,
  throwIfAborted,
  untilAborted,
  type LayerCall
} from '@p2pl/core/backend'

/** The time that a layer allows for one call, combined with the caller's signal. */
export class TimeLimit {
  readonly #clock: Clock
  readonly #ms: number
  readonly #call: LayerCall
  readonly #controller = new AbortController()
  readonly #layer: string
  readonly #onAbort: () => void
  #over = false

  constructor(clock: Clock, ms: number, call: LayerCall, layer: string) {
    const { signal } = call.options
    // A stop proceeds even if its signal has already fired.
    if (call.operation !== 'stop') throwIfAborted(call.operation, signal, call.backend)
    else if (signal?.aborted === true) this.#controller.abort(signal.reason)
    this.#clock = clock
    this.#ms = ms
    this.#call = call
    this.#layer = layer
    this.#onAbort = () => this.#controller.abort(signal?.reason)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Fires with the caller's signal, or with a `TIMEOUT` as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether the time limit ended the call. */
  get isOver(): boolean {
    return this.#over
  }

  /** Settles with the work, or rejects when its time is over or the signal fires. Each call of `over` has the whole time. */
  async over<T>(work: () => Promise<T>): Promise<T> {
    const { operation, backend } = this.#call
    const onTimeout = (): void => this.#controller.abort(this.#timeout())
    const cancel = giveUpAfter(this.#ms, onTimeout, { clock: this.#clock, hold: true })
    try {
      return await untilAborted(work(), this.signal)
    } catch (error) {
      throw this.signal.aborted ? abortError(operation, this.signal, backend) : error
    } finally {
      cancel()
    }
  }

  close(): void {
    this.#call.options.signal?.removeEventListener('abort', this.#onAbort)
  }

  #timeout(): P2plError {
    this.#over = true
    const { operation, backend } = this.#call
    return new P2plError({
      code: 'TIMEOUT',
      operation,
      backend,
      // The message may have gone out. Sending it again would duplicate it.
      retryable: operation !== 'messages.publish',
      message: `${operation} took longer than ${Math.ceil(this.#ms)} ms (${this.#layer} layer)`
    })
  }
}
