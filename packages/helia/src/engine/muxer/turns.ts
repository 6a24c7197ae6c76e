import { systemClock } from '@p2pl/core/backend'

/**
 * Processes at most this many frames of one connection. Returns the number of processed frames: fewer than `most` when
 * there are no more.
 */
export type Work = (most: number) => number

/** How many frames of one connection are processed before another connection is served. */
const portion = 16

/** Shares each turn of the event loop among all connections, with one limit of frames for all of them. */
export class Turns {
  readonly #framesPerTurn: number
  readonly #waiting = new Set<Work>()
  #left: number
  #running = false
  #scheduled = false

  constructor(framesPerTurn: number) {
    this.#framesPerTurn = framesPerTurn
    this.#left = framesPerTurn
  }

  /** Runs the work in its turn, or at once while there is room in the current turn. */
  run(work: Work): void {
    this.#waiting.add(work)
    if (!this.#running) this.#serve()
  }

  has(work: Work): boolean {
    return this.#waiting.has(work)
  }

  #serve(): void {
    this.#running = true
    for (const work of this.#waiting) {
      if (this.#left <= 0) break
      this.#waiting.delete(work)
      const done = work(portion)
      this.#left -= done
      if (done === portion) this.#waiting.add(work)
    }
    this.#running = false
    if (this.#scheduled || this.#left === this.#framesPerTurn) return
    this.#scheduled = true
    systemClock.nextTurn(() => {
      this.#scheduled = false
      this.#left = this.#framesPerTurn
      this.#serve()
    })
  }
}
