import type {
  AbortOptions,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription
} from '@p2pl/core/backend'
import { unsupported } from '@p2pl/core/backend'
import { eitherSignal } from './abort.ts'
import type { Engine } from './engine.ts'
import { backendName, failure } from './errors.ts'
import { maxMessageBytes } from './limits.ts'
import { PublishQueue } from './rpc/publish-queue.ts'
import type { LibraryCallKind } from './rpc/client.ts'
import { Subscription } from './subscription.ts'

const maxTopicBytes = 1024
const maxSubscriptions = 1024
const maxCountedTopics = 1024
const countLifetime = 250

const publishing: LibraryCallKind = { operation: 'messages.publish', lane: 'store' }
const counting: LibraryCallKind = { operation: 'messages.publish', lane: 'store' }
const listing: LibraryCallKind = { operation: 'messages.peers', lane: 'store' }

/** Topics of the daemon's gossipsub. */
export class KuboMessages implements MessageTransport {
  readonly #engine: Engine
  readonly #silence: number
  readonly #subscriptions = new Set<Subscription>()
  readonly #counts = new Map<string, { count: number; until: number }>()
  #queue: PublishQueue | undefined

  /** `silence`: milliseconds after which a quiet subscription is opened anew. */
  constructor(engine: Engine, silence: number) {
    this.#engine = engine
    this.#silence = silence
  }

  start(): void {
    this.#queue = PublishQueue.of(this.#engine.self().id)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
    this.#counts.clear()
    this.#queue?.release()
    this.#queue = undefined
  }

  async publish(topic: string, payload: Uint8Array, options: AbortOptions = {}): Promise<PublishResult> {
    const operation = 'messages.publish'
    this.#engine.check(operation, options.signal)
    checkTopic(operation, topic)
    if (payload.byteLength > maxMessageBytes)
      throw failure(
        'TOO_LARGE',
        operation,
        `a message has at most ${maxMessageBytes} bytes, this one has ${payload.byteLength}`
      )
    const queue = this.#queue
    if (queue === undefined) throw failure('NOT_RUNNING', operation, 'publish was called before start had resolved')
    const signal = eitherSignal(this.#engine, options.signal)
    return await queue.run(operation, payload.byteLength, signal, async () => {
      const recipients = await this.#recipients(topic, signal)
      await this.#engine.rpc.call(
        publishing,
        signal,
        async (kubo, library) => await kubo.pubsub.publish(topic, payload, library)
      )
      for (const subscription of this.#subscriptions) if (subscription.topic === topic) subscription.expectEcho()
      return { recipients }
    })
  }

  async subscribe(topic: string, subscriber: Subscriber, options: AbortOptions = {}): Promise<TransportSubscription> {
    const operation = 'messages.subscribe'
    this.#engine.check(operation, options.signal)
    checkTopic(operation, topic)
    if (subscriber.validate !== undefined)
      throw unsupported(
        backendName,
        operation,
        '"validate" cannot be honoured, the daemon forwards messages before anybody can look at them'
      )
    if (this.#subscriptions.size >= maxSubscriptions)
      throw failure('OVERLOADED', operation, `${maxSubscriptions} subscriptions are open already; close some`)
    const subscription: Subscription = new Subscription(this.#engine, topic, subscriber, this.#silence, () =>
      this.#subscriptions.delete(subscription)
    )
    this.#subscriptions.add(subscription)
    await subscription.open(options.signal)
    return subscription
  }

  async peers(topic: string, options: AbortOptions = {}): Promise<readonly PeerInfo[]> {
    const operation = 'messages.peers'
    this.#engine.check(operation, options.signal)
    checkTopic(operation, topic)
    const ids = await this.#peers(listing, topic, options.signal)
    return ids.map((id) => ({ id, addresses: [] }))
  }

  async #peers(kind: LibraryCallKind, topic: string, signal: AbortSignal | undefined): Promise<string[]> {
    const ids: unknown = await this.#engine.rpc.call(
      kind,
      signal,
      async (kubo, options) => await kubo.pubsub.peers(topic, options)
    )
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string'))
      throw failure('PROTOCOL', kind.operation, 'the daemon answered pubsub/peers with something else than ids')
    return ids as string[]
  }

  /** How many the daemon knows on the topic. Nobody is asked about again at once, somebody only after a while. */
  async #recipients(topic: string, signal: AbortSignal | undefined): Promise<number> {
    const known = this.#counts.get(topic)
    if (known !== undefined && known.until > performance.now()) return known.count
    const count = (await this.#peers(counting, topic, signal)).length
    this.#counts.delete(topic)
    if (count > 0) {
      if (this.#counts.size >= maxCountedTopics) this.#counts.clear()
      this.#counts.set(topic, { count, until: performance.now() + countLifetime })
    }
    return count
  }
}

function checkTopic(operation: string, topic: string): void {
  const length = Buffer.byteLength(topic, 'utf8')
  if (length === 0 || length > maxTopicBytes)
    throw failure('INVALID_ARGUMENT', operation, `a topic has 1 to ${maxTopicBytes} bytes of UTF-8, not ${length}`)
}
