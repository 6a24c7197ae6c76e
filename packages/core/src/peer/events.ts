import type { BackendEvent } from '../port/events.ts'

export type EventListener = (event: BackendEvent) => void

/** Hands each event to every listener. A listener that throws makes an uncaught exception, and disturbs nobody else. */
export class Events {
  readonly #listeners = new Set<{ readonly listener: EventListener }>()

  listen(listener: EventListener): () => void {
    const entry = { listener }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  readonly emit: EventListener = (event) => {
    for (const { listener } of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
