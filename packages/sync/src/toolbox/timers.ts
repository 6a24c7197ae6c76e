import type { Clock } from '@p2pl/core'

/** Timers on the clock that all end together. Times are relative to this process: they are never sent or stored. */
export class Timers {
  readonly #clock: Clock
  readonly #pending: Map<unknown, () => void> = new Map()
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  /** Calls back once after `ms`, unless the returned function is called or everything stops first. */
  after(ms: number, callback: () => void): () => void {
    return this.#set(ms, callback, () => {})
  }

  /** Resolves after `ms`, or at the stop. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.#set(ms, resolve, resolve))
  }

  #set(ms: number, callback: () => void, stopped: () => void): () => void {
    if (this.#stopped) {
      stopped()
      return () => {}
    }
    const timer = this.#clock.setTimeout(() => {
      this.#pending.delete(timer)
      callback()
    }, ms)
    this.#pending.set(timer, stopped)
    return () => {
      if (this.#pending.delete(timer)) this.#clock.clearTimeout(timer)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const [timer, stopped] of this.#pending) {
      this.#clock.clearTimeout(timer)
      stopped()
    }
    this.#pending.clear()
  }
}
