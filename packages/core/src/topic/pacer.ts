import type { Clock } from '../clock.ts'
import { sleep } from '../toolbox/sleep.ts'
import { Slots } from '../toolbox/slots.ts'

/** The engine's pause between two publishes is for this many bytes. A larger publish keeps its receivers busy for longer. */
const pacedBytes = 64 * 1024
const unpaced = (): void => {}

/** Keeps the pause that an engine wants between two publishes, over all topics, because engines count per sender. */
export class Pacer {
  readonly #clock: Clock
  readonly #distance: () => number
  readonly #line = new Slots(1)
  #next = -Infinity

  /** @param distance - Milliseconds; see `capabilities.messages.pacing`. */
  constructor(clock: Clock, distance: () => number) {
    this.#clock = clock
    this.#distance = distance
  }

  /** Resolves when it is the caller's turn. Returns the function that ends the turn and takes the number of published bytes. */
  async enter(): Promise<(bytes: number) => void> {
    const distance = this.#distance()
    if (distance === 0) return unpaced
    const leave = await this.#line.enter()
    const wait = this.#next - this.#clock.now()
    if (wait > 0) await sleep(wait, { clock: this.#clock })
    return (bytes) => {
      this.#next = this.#clock.now() + distance * Math.max(1, bytes / pacedBytes)
      leave()
    }
  }
}
