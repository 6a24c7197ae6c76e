import { sleep } from '@p2pl/core/backend'
import type { Leg } from '../legs/leg.ts'
import type { Legs } from '../legs/legs.ts'

/** Limits on waiting messages: their number for one sender, and their bytes over all senders. */
const maxOfSender = 256
const maxBytes = 8_388_608
/** A message costs one publishing pause for each of these bytes or part of them. */
const pacedBytes = 65_536

export interface Outgoing {
  readonly sender: string
  readonly topic: string
  readonly payload: Uint8Array
  /** Returns whether the message is still to be sent. Called when its turn has come. */
  readonly wanted: () => boolean
}

/** The messages that wait to be published on one leg. They go out at the pace that the engine wants, and senders take turns. */
export class Outbox {
  readonly #legs: Legs
  readonly #leg: Leg
  readonly #signal: AbortSignal
  readonly #waiting = new Map<string, Outgoing[]>()
  #bytes = 0
  #running = false

  constructor(legs: Legs, leg: Leg, signal: AbortSignal) {
    this.#legs = legs
    this.#leg = leg
    this.#signal = signal
  }

  /** Returns `false` if there is no room. */
  add(message: Outgoing): boolean {
    const { sender, payload } = message
    const queue = this.#waiting.get(sender) ?? []
    if (queue.length >= maxOfSender || this.#bytes + payload.byteLength > maxBytes) return false
    queue.push(message)
    this.#waiting.set(sender, queue)
    this.#bytes += payload.byteLength
    if (!this.#running) void this.#run()
    return true
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#running = true
    for (let next = this.#next(); next !== undefined && !this.#signal.aborted; next = this.#next()) {
      this.#bytes -= next.payload.byteLength
      if (!next.wanted()) continue
      await this.#publish(next)
    }
    this.#running = false
  }

  async #publish({ topic, payload }: Outgoing): Promise<void> {
    const { messages } = this.#leg.backend
    const pacing = this.#leg.backend.capabilities.messages?.pacing ?? 0
    try {
      await this.#legs.run(this.#leg, 'messages.publish', { signal: this.#signal }, async (options) =>
        messages?.publish(topic, payload, options)
      )
      if (pacing === 0) return
      const ms = pacing * Math.max(1, Math.ceil(payload.byteLength / pacedBytes))
      await sleep(ms, { clock: this.#legs.clock, signal: this.#signal })
    } catch {
      // The leg is out of use, or the bridge is ending. Peers that follow the sender see a gap.
    }
  }

  /** The first message of the sender whose turn it is. That sender's next turn comes after all others. */
  #next(): Outgoing | undefined {
    for (const [sender, queue] of this.#waiting) {
      const message = queue.shift()
      this.#waiting.delete(sender)
      if (queue.length > 0) this.#waiting.set(sender, queue)
      if (message !== undefined) return message
    }
    return undefined
  }
}
