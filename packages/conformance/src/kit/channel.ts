import type { IncomingMessage, Joined, PublishResult, Verdict } from '@p2pl/core/backend'
import { isP2plError } from '@p2pl/core/backend'
import { check, fail, show } from './check.ts'
import { Inbox, probe } from './inbox.ts'
import type { Network } from './network.ts'
import { messagesOf } from './parts.ts'
import { uniqueName } from './samples.ts'
import type { TestRun } from './test.ts'

export interface ChannelInit {
  readonly topic?: string | undefined
  /** Indexes of the backends that publish. Default: the first. */
  readonly publishers?: readonly number[] | undefined
  /** Indexes of the backends that subscribe. Default: the second and third. */
  readonly subscribers?: readonly number[] | undefined
  /** Judges the messages of each subscriber. */
  readonly judge?: ((message: IncomingMessage) => Verdict | Promise<Verdict>) | undefined
}

/** A topic that has formed: each subscriber has heard each publisher at least once. */
export class Channel {
  readonly topic: string
  readonly #t: TestRun
  readonly #network: Network
  readonly #inboxes = new Map<number, Inbox>()
  readonly #subscriptions = new Map<number, Joined>()

  constructor(t: TestRun, network: Network, topic: string) {
    this.#t = t
    this.#network = network
    this.topic = topic
  }

  static async open(t: TestRun, network: Network, init: ChannelInit = {}): Promise<Channel> {
    const channel = new Channel(t, network, init.topic ?? uniqueName('topic'))
    const subscribers = init.subscribers ?? [1, 2]
    await Promise.all(subscribers.map(async (index) => await channel.subscribe(index, init.judge)))
    for (const publisher of init.publishers ?? [0]) {
      await channel.warm(
        publisher,
        subscribers.filter((index) => index !== publisher)
      )
    }
    return channel
  }

  inbox(index: number): Inbox {
    return this.#inboxes.get(index) ?? fail('the test subscribed', `no inbox ${index}`)
  }

  async subscribe(index: number, judge?: ChannelInit['judge']): Promise<Inbox> {
    const inbox = new Inbox(judge)
    const subscription = await this.#t.within(
      `subscribe to ${show(this.topic)} resolves`,
      messagesOf(this.#network.at(index)).subscribe(this.topic, inbox, { signal: this.#t.signal })
    )
    this.#inboxes.set(index, inbox)
    this.#subscriptions.set(index, subscription)
    this.#t.defer(async () => await subscription.close())
    return inbox
  }

  async close(index: number): Promise<void> {
    await this.#t.within(
      'close() of a subscription resolves',
      this.#subscriptions.get(index)?.close() ?? Promise.resolve()
    )
  }

  /** Publishes probes until each of `to` has heard one, because a topic needs a moment to form. */
  async warm(publisher: number, to: readonly number[]): Promise<void> {
    const inboxes = to.map((index) => this.inbox(index))
    for (const inbox of inboxes) inbox.probes.delete(publisher)
    const heard = (inbox: Inbox): boolean => inbox.probes.has(publisher)
    await this.#repeat(heard, inboxes, 'a message reaches every subscriber of its topic', async (attempt) => {
      try {
        await this.publish(publisher, probe(publisher, attempt))
      } catch (error) {
        if (!isP2plError(error) || !error.retryable) throw error
      }
    })
  }

  async publish(from: number, payload: Uint8Array): Promise<PublishResult> {
    return await this.#t.within(
      'publish resolves',
      messagesOf(this.#network.at(from)).publish(this.topic, payload, { signal: this.#t.signal })
    )
  }

  /**
   * Publishes until each of `to` has the message: once if delivery is reliable, repeatedly if a message may be lost. Each
   * repetition calls `payload` for a new, equivalent one, and hands its result to `published`.
   */
  async deliver(
    from: number,
    payload: (attempt: number) => Uint8Array,
    to: readonly (number | Inbox)[],
    published: (bytes: Uint8Array, result: PublishResult) => void = () => undefined
  ): Promise<Uint8Array[]> {
    const sent: Uint8Array[] = []
    const inboxes = to.map((index) => (typeof index === 'number' ? this.inbox(index) : index))
    const arrived = (inbox: Inbox): boolean => sent.some((bytes) => inbox.count(bytes) > 0)
    const once = this.#t.capabilities.messages?.delivery === 'reliable'
    await this.#repeat(
      arrived,
      inboxes,
      'a message arrives unchanged at every subscriber of its topic',
      async (attempt) => {
        if (once && attempt > 0) return
        const bytes = payload(attempt)
        const copy = bytes.slice()
        sent.push(copy)
        published(copy, await this.publish(from, bytes))
      }
    )
    return sent
  }

  /** Publishes a marker until each of `to` has it. If no order is declared, earlier messages may still be under way. */
  async flush(from: number, to: readonly (number | Inbox)[]): Promise<Uint8Array[]> {
    await this.#t.pace()
    return await this.deliver(from, (attempt) => new TextEncoder().encode(uniqueName(`marker-${attempt}`)), to)
  }

  async #repeat(
    done: (inbox: Inbox) => boolean,
    inboxes: readonly Inbox[],
    what: string,
    act: (attempt: number) => Promise<void>
  ): Promise<void> {
    let wait = Math.max(25, this.#t.capabilities.messages?.pacing ?? 0)
    for (let attempt = 0; ; attempt++) {
      await act(attempt)
      const timeout = Math.min(wait, this.#t.remaining())
      await Promise.all(inboxes.map(async (inbox) => await inbox.until(() => done(inbox), timeout)))
      if (inboxes.every((inbox) => done(inbox))) return
      check(
        this.#t.remaining() > 0,
        what,
        `${attempt + 1} attempts, received ${show(inboxes.map((inbox) => inbox.messages.length))}`
      )
      wait = Math.min(wait * 2, 500)
    }
  }
}
