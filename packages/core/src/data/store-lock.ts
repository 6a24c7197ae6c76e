import { untilAborted } from '../toolbox/until-aborted.ts'

/**
 * Keeps `gc` away from content that is being added and is not pinned yet. Allows any number of adds at once, or one gc. An
 * add that begins while a gc waits goes first, since it may be short and a gc has time.
 */
export class StoreLock {
  #adds = 0
  #collecting: Promise<void> | undefined
  readonly #waiting = new Set<() => void>()

  /** Whether an add would have to wait now. */
  get collecting(): boolean {
    return this.#collecting !== undefined
  }

  async add<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    while (this.#collecting !== undefined) await untilAborted(this.#collecting, signal)
    this.#adds++
    try {
      return await work()
    } finally {
      this.#adds--
      if (this.#adds === 0) for (const wake of this.#waiting) wake()
    }
  }

  /** Resolves with the function that ends the collection. */
  async collect(signal: AbortSignal): Promise<() => void> {
    while (this.#adds > 0 || this.#collecting !== undefined) {
      await untilAborted(this.#collecting ?? this.#noAdds(), signal)
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#collecting = promise
    return () => {
      this.#collecting = undefined
      resolve()
    }
  }

  #noAdds(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
    })
  }
}
