/** Lets at most `size` holders in at a time; the others wait in the order in which they came. */
export class Window {
  readonly #size: number
  #inside = 0
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#size = size
  }

  /** Resolves with the function that leaves again. Rejects with the reason of the signal. */
  enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#inside < this.#size) {
      this.#inside++
      return Promise.resolve(this.#leaver())
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(this.#leaver())
      }
      const giveUp = (): void => {
        this.#waiting.delete(admit)
        reject(signal.reason as Error)
      }
      this.#waiting.add(admit)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  #leaver(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      for (const admit of this.#waiting) {
        // The place passes to the next one: the number of those inside stays the same.
        this.#waiting.delete(admit)
        admit()
        return
      }
      this.#inside--
    }
  }
}
