/** Functions that are called back. An error of one is an uncaught exception, and keeps it from no other. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>()

  get size(): number {
    return this.#listeners.size
  }

  add(listener: (value: T) => void): () => void {
    // The same function twice is two listeners.
    const own = (value: T): void => {
      listener(value)
    }
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  call(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
