import { invalidArgument } from '../errors.ts'
import { describe } from './options.ts'

export type Listener<T> = (value: T) => void

/** A set of listeners. A listener that throws causes an uncaught exception, and does not disturb the others. */
export class Listeners<T> {
  readonly #entries = new Set<{ readonly listener: Listener<T> }>()

  get size(): number {
    return this.#entries.size
  }

  /** Returns the function that removes the listener. `operation` is the call that took it, for the message. */
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
