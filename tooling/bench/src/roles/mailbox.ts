import { now } from './timing.ts'

/** If nothing arrives for this long (ms), the rest counts as lost. */
const patience = 5_000

export interface Heard {
  readonly count: number
  /** When the last message arrived. */
  readonly last: number
  /** Latencies of messages that carry the time of their publishing. */
  readonly latencies: Float64Array
}

/** Writes the current time to the start of a message. */
export function stamp(payload: Uint8Array): Uint8Array {
  new DataView(payload.buffer, payload.byteOffset).setFloat64(0, now())
  return payload
}

/** Counts messages, and lets a caller wait for a number of them. */
export class Mailbox {
  #count = 0
  #last = 0
  #latencies: number[] | undefined
  #wanted = Infinity
  #wake: (() => void) | undefined

  /** From now on, messages are expected to carry their time. */
  expectStamps(): void {
    this.#latencies = []
  }

  deliver(payload: Uint8Array): void {
    this.#last = now()
    this.#latencies?.push(this.#last - new DataView(payload.buffer, payload.byteOffset).getFloat64(0))
    if (++this.#count >= this.#wanted) this.#wake?.()
  }

  /** Resolves when `count` messages have arrived, or when none arrived for a while. Then counts from 0 again. */
  async take(count: number): Promise<Heard> {
    while (this.#count < count) {
      const before = this.#count
      this.#wanted = count
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (this.#count === before) break
    }
    const seen = { count: this.#count, last: this.#last, latencies: Float64Array.from(this.#latencies ?? []) }
    this.#count = 0
    if (this.#latencies !== undefined) this.#latencies = []
    this.#wanted = Infinity
    return seen
  }
}
