import { abortError, invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'

/** Milliseconds from one step to the next, where the caller says nothing: like `put` of a peer's deadlines. */
const defaultMs = 60_000

/** The caller's signal, joined with a deadline that counts from the last progress. Whoever makes one closes it. */
export class ProgressDeadline {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #ms: number
  readonly #operation: string
  #last: number = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    operation: string,
    { signal, deadline = defaultMs }: { signal?: AbortSignal | undefined; deadline?: number | undefined }
  ) {
    throwIfAborted(operation, signal)
    if (typeof deadline !== 'number' || !(deadline > 0)) {
      throw invalidArgument(
        operation,
        `deadline must be a positive number of milliseconds, or Infinity, not ${String(deadline)}`
      )
    }
    this.#operation = operation
    this.#outer = signal
    this.#ms = deadline
    this.signal = this.#controller.signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#arm(deadline)
  }

  renew(): void {
    this.#last = performance.now()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }

  /** The promise's outcome, or the error of the signal when that comes first. */
  async race<T>(work: Promise<T>): Promise<T> {
    return await untilAborted(work, this.signal, this.#operation)
  }

  #arm(ms: number): void {
    if (ms === Infinity) return
    this.#timer = setTimeout(this.#look, Math.min(Math.ceil(ms), 0x7fffffff))
    // Node only: it must not keep the process alive by itself.
    if (typeof this.#timer === 'object') (this.#timer as { unref?: () => void }).unref?.()
  }

  #look = (): void => {
    const left = this.#last + this.#ms - performance.now()
    if (left > 0) {
      this.#arm(left)
      return
    }
    this.close()
    this.#controller.abort(
      new P2plError({
        code: 'TIMEOUT',
        operation: this.#operation,
        message: `${this.#operation} made no progress for ${this.#ms} ms (its deadline)`
      })
    )
  }

  #onAbort = (): void => {
    this.close()
    this.#controller.abort(this.#outer?.reason)
  }
}

export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal, operation: string): Promise<T> {
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(abortError(operation, signal))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}
