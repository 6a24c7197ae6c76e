import type { Clock } from '../clock.ts'

export interface BreatherOptions {
  readonly clock: Clock
  /** Work between two turns of the event loop, in bytes: about 10 ms of work. */
  readonly bytesPerTurn: number
  /** The fixed cost of one piece of work, as a number of bytes that take as long. */
  readonly bytesPerPiece: number
}

/**
 * Gives the event loop a turn after each portion of work, however much work a stranger causes at once. It counts work, not
 * time, so that a simulated run is the same each time. Callers are served in the order in which they came.
 */
export class Breather {
  readonly #options: BreatherOptions
  #done = 0
  #turn: Promise<void> | undefined

  constructor(options: BreatherOptions) {
    this.#options = options
  }

  /** Await this before `pieces` pieces of work with `bytes` bytes in total. */
  async before(bytes: number, pieces = 1): Promise<void> {
    const { bytesPerTurn, bytesPerPiece } = this.#options
    while (this.#done >= bytesPerTurn) await (this.#turn ??= this.#nextTurn())
    this.#done += bytes + pieces * bytesPerPiece
  }

  async #nextTurn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.clock.nextTurn(resolve)
    })
    this.#done = 0
    this.#turn = undefined
  }
}
