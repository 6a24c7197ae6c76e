import { setImmediate as nextTurn } from 'node:timers/promises'

/** After this many milliseconds of work, the rest of the process gets a turn. */
const slice = 8

/**
 * For loops that await results which may be available at once, as from a store in memory. Without a turn of the event
 * loop in between, such a loop delays everything else until it ends.
 */
export class Pace {
  #since = performance.now()

  async keep(): Promise<void> {
    if (performance.now() - this.#since < slice) return
    await nextTurn()
    this.#since = performance.now()
  }
}
