/** Admits at most `size` users at a time. The others wait in the order in which they came. */
export class Slots {
  readonly #size: number
  #taken = 0
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#size = size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves with the function that frees the slot again. Rejects with the reason of the signal. */
  enter(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#taken < this.#size) {
      this.#taken++
      return Promise.resolve(this.#leaver())
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve(this.#leaver())
      }
      const giveUp = (): void => {
        this.#waiting.delete(admit)
        reject(signal?.reason as Error)
      }
      this.#waiting.add(admit)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Runs the work in a slot. */
  async run<T>(work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    const leave = await this.enter(signal)
    try {
      return await work()
    } finally {
      leave()
    }
  }

  #leaver(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      for (const admit of this.#waiting) {
        // The slot passes to the next user, so the number of taken slots stays the same.
        this.#waiting.delete(admit)
        admit()
        return
      }
      this.#taken--
    }
  }
}
