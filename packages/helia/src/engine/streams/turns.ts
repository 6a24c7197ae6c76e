import { systemClock } from '@p2pl/core/backend'

/** Units of work between two turns of the event loop: some 30 small messages take about 10 ms. */
const unitsPerTurn = 32

/** A message costs one unit, and another one for each of these many bytes. */
const bytesPerUnit = 16 * 1024

/**
 * Deals out the event loop to what arrives: after some work everything else gets a turn, however much waits. Those who wait
 * are served in the order in which they came.
 */
export class Turns {
  #left = unitsPerTurn
  #next: Promise<void> | undefined

  /** Resolves when work on this many bytes may be done. */
  async take(bytes: number): Promise<void> {
    while (this.#left <= 0) {
      this.#next ??= new Promise<void>((resolve) => systemClock.nextTurn(resolve)).then(() => {
        this.#left = unitsPerTurn
        this.#next = undefined
      })
      await this.#next
    }
    this.#left -= 1 + bytes / bytesPerUnit
  }
}
