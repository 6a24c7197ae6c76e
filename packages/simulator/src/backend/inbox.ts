import type { IncomingMessage, Subscriber, Verdict } from '@p2pl/core/backend'

/** Most messages that may wait for the verdict on an earlier one, per subscription. */
const maxWaiting = 1024

/** One subscription: asks for the verdict, delivers in the order of arrival, and never without bound. */
export class Inbox {
  readonly #subscriber: Subscriber
  #closed = false
  #waiting = 0
  #overflowed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber
  }

  close(): void {
    this.#closed = true
  }

  gap(reason: 'overflow'): void {
    if (!this.#closed) this.#subscriber.gap({ reason })
  }

  accept(message: IncomingMessage): Verdict | Promise<Verdict> {
    if (this.#closed) return 'ignore'
    if (this.#waiting >= maxWaiting) {
      // One gap stands for all that is lost until there is room again.
      if (!this.#overflowed) this.gap('overflow')
      this.#overflowed = true
      return 'ignore'
    }
    const verdict = this.#judge(message)
    if (this.#waiting === 0 && typeof verdict === 'string') return this.#deliver(message, verdict)
    return this.#deliverLater(message, verdict)
  }

  async #deliverLater(message: IncomingMessage, verdict: Verdict | Promise<Verdict>): Promise<Verdict> {
    const earlier = this.#last
    this.#waiting++
    const mine = (async () => {
      const [, final] = await Promise.all([earlier, verdict])
      this.#waiting--
      this.#overflowed = false
      return this.#deliver(message, final)
    })()
    this.#last = mine
    return await mine
  }

  #judge(message: IncomingMessage): Verdict | Promise<Verdict> {
    if (this.#subscriber.validate === undefined) return 'accept'
    const verdict = this.#subscriber.validate(message)
    return typeof verdict === 'string' ? verdict : verdict.catch((): Verdict => 'ignore')
  }

  #deliver(message: IncomingMessage, verdict: Verdict): Verdict {
    if (verdict === 'accept' && !this.#closed) this.#subscriber.message(message)
    return verdict
  }
}
