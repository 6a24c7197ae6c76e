import { invalidArgument } from '../errors.ts'
import { describe } from './options.ts'

export type Listener<T> = (value: T) => void

/** Functions that are told of something. One that throws makes an uncaught exception, and disturbs nobody else. */
export class Listeners<T> {
  readonly #entries = new Set<{ readonly listener: Listener<T> }>()

  get size(): number {
    return this.#entries.size
  }

  /** Gives the function that ends it. `operation` is the call that took the listener, for the message. */
  add(operation: string, listener: Listener<T>): () => void {
    if (typeof listener !== 'function') {
      throw invalidArgument(operation, `${operation}: the listener must be a function, not ${describe(listener)}`)
    }
    const entry = { listener }
    this.#entries.add(entry)
    return () => {
      this.#entries.delete(entry)
    }
  }

  readonly emit: Listener<T> = (value) => {
    for (const { listener } of this.#entries) {
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
