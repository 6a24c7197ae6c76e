import type { Timers } from './timers.ts'

/** What one piece of work adds to its bytes: the fixed cost of a message or an entry, as bytes that take as long to hash. */
export const fixedWork = 1024
/** Work between two turns of the event loop, some 10 ms on a slow machine. */
const workPerTurn: number = 768 * 1024

/**
 * Gives the event loop a turn after each portion of work, however much a stranger sends at once. It counts work, not time, so
 * that a simulated run is the same each time.
 */
export class Breather {
  readonly #timers: Timers
  #done = 0
  #turn: Promise<void> | undefined

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** To be awaited before work of so many bytes. */
  async before(bytes: number): Promise<void> {
    while (this.#done >= workPerTurn) await (this.#turn ??= this.#nextTurn())
    this.#done += bytes + fixedWork
  }

  async #nextTurn(): Promise<void> {
    await this.#timers.pause(0)
    this.#done = 0
    this.#turn = undefined
  }
}
