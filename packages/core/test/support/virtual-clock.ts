import type { Clock } from '../../src/clock.ts'

/** A clock that a test moves by hand. */
export class VirtualClock implements Clock {
  #now = 1_000
  /** The wall clock is this far ahead; a test may step it. */
  offset = 1_700_000_000_000
  #next = 1
  readonly #timers = new Map<number, { at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#now + this.offset
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const id = this.#next++
    this.#timers.set(id, { at: this.#now + ms, callback })
    return id
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number)
  }

  nextTurn(callback: () => void): void {
    setImmediate(callback)
  }

  /** Moves time on, firing timers in their order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#now = Math.max(this.#now, due[1].at)
      due[1].callback()
    }
    this.#now = end
    await settle()
  }
}

/** Lets every promise that is ready settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise<void>((resolve) => void setImmediate(resolve))
}
