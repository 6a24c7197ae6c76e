import { bytesKey } from '@p2pl/core/backend'
import { topicOf } from './message.ts'

const maxBytes = 32 * 1024 * 1024
const maxMessages = 16_384
const maxAge = 60_000

interface Kept {
  readonly id: Uint8Array
  readonly topic: string
  readonly body: Uint8Array
  readonly at: number
}

/** The latest messages, for peers that missed them. */
export class Recent {
  readonly #messages = new Map<string, Kept>()
  #bytes = 0

  get(id: string): Uint8Array | undefined {
    return this.#messages.get(id)?.body
  }

  /** The messages of each topic since its given time, the oldest first. */
  *since(times: ReadonlyMap<string, number>): Generator<{ readonly topic: string; readonly id: Uint8Array }> {
    for (const { topic, id, at } of this.#messages.values())
      if (at >= (times.get(topic) ?? Infinity)) yield { topic, id }
  }

  add(id: Uint8Array, body: Uint8Array): void {
    this.#messages.set(bytesKey(id), { id, topic: topicOf(body), body, at: performance.now() })
    this.#bytes += body.byteLength
    for (const [oldest, kept] of this.#messages) {
      const fits = this.#bytes <= maxBytes && this.#messages.size <= maxMessages
      if (fits && performance.now() - kept.at <= maxAge) break
      this.#messages.delete(oldest)
      this.#bytes -= kept.body.byteLength
    }
  }
}
