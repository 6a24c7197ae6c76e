import { systemClock } from '@p2pl/core/backend'

/** Works on at most so many frames of one connection. Returns how many; fewer than `most` when no more are there. */
export type Work = (most: number) => number

/** Frames of one connection before another one is served. */
const portion = 16

/** Shares each turn of the event loop among all connections, so many frames for all of them together. */
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

  /** Runs the work in its turn: at once while there is room in this turn. */
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
