import type { Clock } from '@p2pl/core'

/** What one piece of work adds to its bytes: the fixed cost of a message or an entry, as bytes that take as long to hash. */
const fixedWork = 1024
/** Work between two turns of the event loop, some 10 ms on a slow machine. */
const workPerTurn: number = 768 * 1024

/**
 * Gives the event loop a turn after each portion of work, however much a stranger sends at once. It counts work, not time, so
 * that a simulated run is the same each time.
 */
export class Breather {
  readonly #clock: Clock
  #done = 0
  #turn: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be awaited before so many pieces of work with so many bytes together. */
  async before(bytes: number, pieces = 1): Promise<void> {
    while (this.#done >= workPerTurn) await (this.#turn ??= this.#nextTurn())
    this.#done += bytes + pieces * fixedWork
  }

  async #nextTurn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#clock.nextTurn(resolve)
    })
    this.#done = 0
    this.#turn = undefined
  }
}
