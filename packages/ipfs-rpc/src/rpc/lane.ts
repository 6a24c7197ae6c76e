import { classify, failure } from '../errors.ts'

interface Waiter {
  enter: () => void
}

/** Bounds how many calls are under way at once, and how many wait; the rest is refused with `OVERLOADED`. */
export class Lane {
  readonly #limit: number
  readonly #maxWaiting: number
  #active = 0
  readonly #waiting = new Set<Waiter>()

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit
    this.#maxWaiting = maxWaiting
  }

  /** Resolves when there is room; the caller calls `leave` exactly once afterwards. */
  enter(operation: string, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#active < this.#limit) {
      this.#active++
      return undefined
    }
    if (this.#waiting.size >= this.#maxWaiting)
      throw failure('OVERLOADED', operation, `${this.#maxWaiting} calls wait for the daemon already; call less at once`)
    return new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      const onAbort = (): void => {
        this.#waiting.delete(waiter)
        reject(classify(operation, undefined, signal))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiter)
    })
  }

  leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      next.enter()
      return
    }
    this.#active--
  }
}
