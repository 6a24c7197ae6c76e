import type { Clock } from '@p2pl/core'

/** Timers on the clock that all end together. */
export class Timers {
  readonly #clock: Clock
  readonly #pending: Set<unknown> = new Set()
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  /** Calls back once after `ms`, unless the result is called or everything stops before. */
  after(ms: number, callback: () => void): () => void {
    if (this.#stopped) return () => {}
    const timer = this.#clock.setTimeout(() => {
      this.#pending.delete(timer)
      callback()
    }, ms)
    this.#pending.add(timer)
    return () => {
      if (this.#pending.delete(timer)) this.#clock.clearTimeout(timer)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#pending) this.#clock.clearTimeout(timer)
    this.#pending.clear()
  }
}
