import type { IncomingMessage, Subscriber, TransportGap, Verdict } from '@p2pl/core/backend'
import { keepNothingAlive } from './abort.ts'

/** A validator that does not answer counts as `ignore` after this many milliseconds. */
const validationLimit = 5_000
/** Most messages that wait for a verdict. */
const maxWaiting = 1_024
const maxGone = 256

/** The subscriptions of one topic, and by whom its messages can come. */
export class Audience {
  readonly subscribers: Set<Subscriber> = new Set()
  /** Connected participants that are in the topic, or have brought a message of it. */
  readonly #sources = new Set<string>()
  /** Who was connected before all of them were lost; `undefined` while there is somebody, or never was. */
  #lost: Set<string> | undefined
  readonly #gone = new Set<string>()
  #waiting = 0
  #overflowed = false

  joined(peer: string): void {
    this.#sources.add(peer)
    if (this.#lost === undefined) return
    this.#lost = undefined
    this.#gone.clear()
    this.#report({ reason: 'disconnected' })
  }

  left(peer: string): void {
    this.#sources.delete(peer)
  }

  /** Who brought messages before may bring some again, subscribed or not. */
  connected(peer: string): void {
    if (this.#lost?.has(peer) === true) this.joined(peer)
  }

  /** The connection is gone. When it was the last one of the topic, messages may be missed from now on. */
  disconnected(peer: string): void {
    if (!this.#sources.delete(peer)) return
    this.#gone.add(peer)
    if (this.#gone.size > maxGone) this.#gone.delete(this.#gone.values().next().value ?? '')
    if (this.#sources.size === 0) this.#lost = this.#gone
  }

  /** Asks the validators, delivers to the subscriptions that accept, and says whether the message may be passed on. */
  receive(source: string, message: IncomingMessage): Verdict | Promise<Verdict> {
    this.joined(source)
    const subscribers = [...this.subscribers]
    if (!subscribers.some((subscriber) => 'validate' in subscriber)) {
      for (const subscriber of subscribers) this.#deliver(subscriber, message)
      return 'accept'
    }
    if (this.#waiting < maxWaiting) return this.#validate(subscribers, message)
    // One gap stands for all that is lost until there is room again.
    if (!this.#overflowed) this.#report({ reason: 'overflow' })
    this.#overflowed = true
    return 'ignore'
  }

  async #validate(subscribers: readonly Subscriber[], message: IncomingMessage): Promise<Verdict> {
    this.#waiting++
    try {
      const verdicts = await Promise.all(
        subscribers.map(async (subscriber) => {
          const verdict = await verdictOf(subscriber, message)
          if (verdict === 'accept') this.#deliver(subscriber, message)
          return verdict
        })
      )
      return verdicts.find((one) => one === 'reject') ?? verdicts.find((one) => one === 'ignore') ?? 'accept'
    } finally {
      this.#waiting--
      this.#overflowed = false
    }
  }

  #deliver(subscriber: Subscriber, message: IncomingMessage): void {
    if (this.subscribers.has(subscriber)) guarded(() => subscriber.message(message))
  }

  #report(gap: TransportGap): void {
    for (const subscriber of this.subscribers) guarded(() => subscriber.gap(gap))
  }
}

async function verdictOf(subscriber: Subscriber, message: IncomingMessage): Promise<Verdict> {
  if (subscriber.validate === undefined) return 'accept'
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const verdict = subscriber.validate(message)
    if (typeof verdict === 'string') return verdict
    const late = new Promise<Verdict>((resolve) => {
      timer = setTimeout(() => resolve('ignore'), validationLimit)
      keepNothingAlive(timer)
    })
    return await Promise.race([verdict, late])
  } catch {
    return 'ignore'
  } finally {
    clearTimeout(timer)
  }
}

/** Subscribers never throw; one that does must not take the engine's message loop with it. */
function guarded(call: () => void): void {
  try {
    call()
  } catch {
    // Nobody is there to hear of it: the port forbids it, and the message counts as delivered.
  }
}
