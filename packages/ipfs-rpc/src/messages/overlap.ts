import { BoundedMap, type IncomingMessage, giveUpAfter } from '@p2pl/core/backend'
import { type Answer, notRunning } from '@p2pl/kubo/rpc'

export interface OverlapOptions {
  readonly deliver: (message: IncomingMessage) => void
  /** The old stream was dead, so messages may have been lost. Called before later messages are delivered. */
  readonly lost: () => void
}

/** How much later (ms) a message may arrive on one stream than on the other. */
const proofTimeout = 1_000
const maxHeld = 1_024
const maxHeldBytes = 16 * 1024 * 1024
const remembered = 256

/**
 * Delivers each message once while two streams carry a topic, and finds out whether the old stream was dead. The old
 * stream stays open until it proves that it is alive, by a message or by an orderly end. When a message arrives only on
 * the new stream, the old one was dead. Messages wait for that proof, so that a loss is reported before them.
 */
export class Overlap {
  readonly #options: OverlapOptions
  /** Keys of the latest messages. */
  readonly #seen = new BoundedMap<string, true>(remembered)
  #old: Answer | undefined
  #held: IncomingMessage[] = []
  #heldBytes = 0
  /** Stops the wait for it. */
  #proof: (() => void) | undefined

  constructor(options: OverlapOptions) {
    this.#options = options
  }

  isOld(stream: Answer): boolean {
    return stream === this.#old
  }

  /**
   * The stream was silent and is being replaced. Of several consecutive streams, the first one shows whether anything
   * was missed.
   */
  begin(stream: Answer): void {
    if (this.#old === undefined) this.#old = stream
    else stream.fail(notRunning('messages.subscribe'))
  }

  /** `key`: equal for the same message on another stream. */
  push(stream: Answer, message: IncomingMessage, key: string | undefined): void {
    if (stream === this.#old) this.#proved()
    if (key !== undefined) {
      if (this.#seen.has(key)) return
      this.#seen.set(key, true)
    }
    if (this.#old === undefined) {
      this.#options.deliver(message)
      return
    }
    this.#held.push(message)
    this.#heldBytes += message.payload.byteLength
    if (this.#held.length > maxHeld || this.#heldBytes > maxHeldBytes) this.#disproved()
    else this.#proof ??= giveUpAfter(proofTimeout, () => this.#disproved())
  }

  /**
   * A stream has ended by itself. An orderly end travels along the connection like a message, so it proves that the
   * stream was alive.
   */
  ended(stream: Answer, inOrder: boolean): void {
    if (stream !== this.#old) return
    if (inOrder) this.#proved()
    else this.#disproved()
  }

  /** Both streams are given up. `silently`: nothing more is delivered. */
  clear(silently: boolean): void {
    if (silently) this.#held.length = 0
    this.#proved()
  }

  #proved(): void {
    this.#proof?.()
    this.#proof = undefined
    this.#old?.fail(notRunning('messages.subscribe'))
    this.#old = undefined
    this.#heldBytes = 0
    for (const message of this.#held.splice(0)) this.#options.deliver(message)
  }

  #disproved(): void {
    this.#options.lost()
    this.#proved()
  }
}
