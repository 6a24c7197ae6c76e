import type { IncomingMessage, Subscriber, Verdict } from '@p2pl/core/backend'

/** A validator that does not answer counts as `ignore` after this many milliseconds: it would hold up the engine's queue. */
const validationLimit = 5_000
const maxGone = 256

/** The subscriptions of one topic, and by whom its messages can come. */
export class Topic {
  readonly subscribers: Set<Subscriber> = new Set()
  /** Connected peers that are in the topic, or have brought a message of it. */
  readonly #sources = new Set<string>()
  /** Who was connected before all of them were lost; `undefined` while there is somebody, or never was. */
  #lost: Set<string> | undefined
  readonly #gone = new Set<string>()

  joined(peer: string): void {
    this.#sources.add(peer)
    this.#regained()
  }

  left(peer: string): void {
    this.#sources.delete(peer)
  }

  /** Who brought messages before may bring some again, subscribed or not. */
  connected(peer: string): void {
    if (this.#lost?.has(peer) === true) this.joined(peer)
  }

  /** The connection to a peer is gone. When it was the last one of the topic, messages may be missed from now on. */
  disconnected(peer: string): void {
    if (!this.#sources.delete(peer)) return
    this.#gone.add(peer)
    if (this.#gone.size > maxGone) this.#gone.delete(this.#gone.values().next().value ?? '')
    if (this.#sources.size === 0) this.#lost = this.#gone
  }

  #regained(): void {
    if (this.#lost === undefined) return
    this.#lost = undefined
    this.#gone.clear()
    for (const subscriber of this.subscribers) guarded(() => subscriber.gap({ reason: 'disconnected' }))
  }

  /** Asks the validators, delivers to the subscriptions that accept, and says what the engine is to do with the message. */
  receive(source: string, message: IncomingMessage): Verdict | Promise<Verdict> {
    this.joined(source)
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
