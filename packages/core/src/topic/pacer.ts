import type { Clock } from '../clock.ts'
import { sleep } from '../toolbox/sleep.ts'

/** The engine's distance of two publishes is for this many bytes. A larger one keeps its receivers busy for longer. */
const pacedBytes = 64 * 1024

/** Keeps the distance that an engine wants between two publishes, over all topics: engines count per sender. */
export class Pacer {
  readonly #clock: Clock
  readonly #distance: () => number
  #next = -Infinity
  #last: Promise<void> = Promise.resolve()

  /** @param distance - Milliseconds; see `capabilities.messages.pacing`. */
  constructor(clock: Clock, distance: () => number) {
    this.#clock = clock
    this.#distance = distance
  }

  /** Runs one publish of `bytes` bytes when its turn has come, in the order of the calls. */
  async run<T>(bytes: number, publish: () => Promise<T>): Promise<T> {
    const distance = this.#distance()
    if (distance === 0) return await publish()
    const turn = this.#last.then(() => this.#wait())
    const done = turn.then(publish).finally(() => {
      this.#next = this.#clock.now() + distance * Math.max(1, bytes / pacedBytes)
    })
    this.#last = done.then(
      () => undefined,
      () => undefined
    )
    return await done
  }

  async #wait(): Promise<void> {
    const wait = this.#next - this.#clock.now()
    if (wait > 0) await sleep(wait, { clock: this.#clock })
  }
}
