import type { IncomingMessage, Subscriber, Verdict } from '@p2pl/core/backend'

/** A validator that does not answer counts as `ignore` after this many milliseconds: it would hold up the engine's queue. */
const validationLimit = 5_000

/** The subscriptions of one topic, and who of the others is in it. */
export class Topic {
  readonly subscribers: Set<Subscriber> = new Set()
  readonly #members = new Set<string>()
  #lost = false

  joined(peer: string): void {
    this.#members.add(peer)
    this.#regained()
  }

  left(peer: string): void {
    this.#members.delete(peer)
  }

  /** The connection to a peer is gone. When it was the last one of the topic, messages may be missed from now on. */
  disconnected(peer: string): void {
    if (this.#members.delete(peer) && this.#members.size === 0) this.#lost = true
  }

  #regained(): void {
    if (!this.#lost) return
    this.#lost = false
    for (const subscriber of this.subscribers) guarded(() => subscriber.gap({ reason: 'disconnected' }))
  }

  /** Asks the validators, delivers to the subscriptions that accept, and says what the engine is to do with the message. */
  receive(message: IncomingMessage): Verdict | Promise<Verdict> {
    // Who delivers is there again, subscribed or not.
    this.#regained()
    const subscribers = [...this.subscribers]
    if (!subscribers.some((subscriber) => 'validate' in subscriber)) {
      for (const subscriber of subscribers) this.#deliver(subscriber, message)
      return 'accept'
    }
    return this.#validate(subscribers, message)
  }

  async #validate(subscribers: readonly Subscriber[], message: IncomingMessage): Promise<Verdict> {
    const verdicts = await Promise.all(
      subscribers.map(async (subscriber) => {
        const verdict = await verdictOf(subscriber, message)
        if (verdict === 'accept') this.#deliver(subscriber, message)
        return verdict
      })
    )
    return verdicts.find((one) => one === 'reject') ?? verdicts.find((one) => one === 'ignore') ?? 'accept'
  }

  #deliver(subscriber: Subscriber, message: IncomingMessage): void {
    if (this.subscribers.has(subscriber)) guarded(() => subscriber.message(message))
  }
}

async function verdictOf(subscriber: Subscriber, message: IncomingMessage): Promise<Verdict> {
  if (subscriber.validate === undefined) return 'accept'
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve('ignore'), validationLimit)
  })
  try {
    return await Promise.race([subscriber.validate(message), late])
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
