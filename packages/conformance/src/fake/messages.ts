import type {
  AbortOptions,
  IncomingMessage,
  MessageCapabilities,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription,
  Verdict
} from '@p2pl/core/backend'
import type { FakeNode, Run } from './node.ts'

const maxTopicBytes = 1024

/** One subscription: judges and delivers one message after the other. */
export class FakeSubscription {
  readonly subscriber: Subscriber
  #closed = false
  #queue: Promise<void> = Promise.resolve()

  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber
  }

  push(message: IncomingMessage): void {
    this.#queue = this.#deliver(this.#queue, message)
  }

  async #deliver(before: Promise<void>, message: IncomingMessage): Promise<void> {
    await before
    if (this.#closed) return
    const verdict = await this.#judge(message)
    if (verdict === 'accept' && !this.#closed) this.subscriber.message(message)
  }

  gap(): void {
    if (!this.#closed) this.subscriber.gap({ reason: 'disconnected' })
  }

  close(): void {
    this.#closed = true
  }

  async #judge(message: IncomingMessage): Promise<Verdict> {
    try {
      return (await this.subscriber.validate?.(message)) ?? 'accept'
    } catch {
      return 'ignore'
    }
  }
}

export class FakeMessages implements MessageTransport {
  readonly #node: FakeNode
  readonly #declared: MessageCapabilities
  readonly #seen = new Set<string>()

  constructor(node: FakeNode, declared: MessageCapabilities) {
    this.#node = node
    this.#declared = declared
  }

  async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
    return await this.#node.call('messages.publish', options, (run) => {
      this.#checkTopic('messages.publish', topic)
      if (payload.byteLength > this.#declared.maxMessageBytes)
        throw this.#node.error(
          'TOO_LARGE',
          'messages.publish',
          `a message has at most ${this.#declared.maxMessageBytes} bytes`
        )
      const from = this.#declared.sender === 'none' ? undefined : this.#node.store.id
      const receivers = this.#subscribed(topic)
      if (!this.#isRepeated(topic, payload)) {
        const nodes = this.#declared.echo ? [...receivers, this.#node] : receivers
        for (const node of nodes)
          for (const subscription of (node === this.#node ? run : node.run)?.topics.get(topic) ?? []) {
            if (this.#node.lose()) continue
            subscription.push(from === undefined ? { payload: payload.slice() } : { payload: payload.slice(), from })
          }
      }
      return this.#declared.recipients === 'none' ? {} : { recipients: receivers.length }
    })
  }

  async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
    const subscription = new FakeSubscription(subscriber)
    try {
      return await this.#node.call('messages.subscribe', options, (run) => {
        this.#checkTopic('messages.subscribe', topic)
        if (subscriber.validate !== undefined && this.#declared.validation === 'none')
          throw this.#node.unsupported('messages.subscribe')
        return this.#join(run, topic, subscription)
      })
    } catch (error) {
      subscription.close()
      throw error
    }
  }

  #join(run: Run, topic: string, subscription: FakeSubscription): TransportSubscription {
    const subscriptions = run.topics.get(topic) ?? new Set()
    run.topics.set(topic, subscriptions.add(subscription))
    run.stopped.signal.addEventListener('abort', () => subscription.close(), { once: true })
    return {
      close: async () => {
        subscription.close()
        subscriptions.delete(subscription)
        if (subscriptions.size === 0 && run.topics.get(topic) === subscriptions) run.topics.delete(topic)
      }
    }
  }

  async peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#node.call('messages.peers', options, () => {
      if (this.#declared.peers === 'none') throw this.#node.unsupported('messages.peers')
      this.#checkTopic('messages.peers', topic)
      return this.#subscribed(topic).map((node) => node.self())
    })
  }

  #subscribed(topic: string): FakeNode[] {
    return this.#node.network.neighbours(this.#node.store.id).filter((node) => node.run?.topics.has(topic) === true)
  }

  #isRepeated(topic: string, payload: Uint8Array): boolean {
    if (this.#declared.duplicates === 'delivered') return false
    const key = `${topic}\n${String(payload)}`
    const repeated = this.#seen.has(key)
    this.#seen.add(key)
    return repeated
  }

  #checkTopic(operation: string, topic: string): void {
    const length = new TextEncoder().encode(topic).byteLength
    if (length === 0 || length > maxTopicBytes)
      throw this.#node.error(
        'INVALID_ARGUMENT',
        operation,
        `a topic has 1 to ${maxTopicBytes} bytes of UTF-8, not ${length}`
      )
  }
}
