import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work goes on for this many milliseconds before everything else of the process has its turn. */
const slice = 8

/**
 * For loops that await things which may be there at once, as in a store in memory: without a turn of the event loop in between,
 * they hold up everything else until they end.
 */
export class Pace {
  #since = performance.now()

  async keep(): Promise<void> {
    if (performance.now() - this.#since < slice) return
    await nextTurn()
    this.#since = performance.now()
  }
}
