import {
  BoundedMap,
  type EngineEvent,
  type HookOptions,
  isP2plError,
  type Joined,
  type MessageHooks,
  type PeerInfo,
  type PublishResult,
  Slots,
  type Subscriber
} from '@p2pl/core/backend'
import type { Health } from '@p2pl/kubo'
import { failure, isFateUnknown, isPeerId } from '@p2pl/kubo/rpc'
import type { LibraryCallKind, RpcClient } from '../rpc/client.ts'
import { TopicStream } from './topic-stream.ts'

const maxCountedTopics = 1_024
const countLifetime = 250

const publishing: LibraryCallKind = { operation: 'messages.publish', lane: 'store' }
const listing: LibraryCallKind = { operation: 'messages.peers', lane: 'store' }

/** Topics of the daemon's gossipsub. */
export class Messages implements MessageHooks {
  readonly #rpc: RpcClient
  readonly #health: Health
  readonly #silence: number
  readonly #report: (event: EngineEvent) => void
  // A daemon refuses concurrent publishes, because their sequence numbers overtake each other.
  readonly #oneAtATime: Slots = new Slots(1)
  readonly #streams = new Map<string, TopicStream>()
  readonly #counts = new BoundedMap<string, { count: number; until: number }>(maxCountedTopics)

  /** `silence`: milliseconds after which a quiet subscription is opened again. */
  constructor(rpc: RpcClient, health: Health, silence: number, report: (event: EngineEvent) => void) {
    this.#rpc = rpc
    this.#health = health
    this.#silence = silence
    this.#report = report
  }

  async publish(topic: string, payload: Uint8Array, { signal }: HookOptions): Promise<PublishResult> {
    return await this.#oneAtATime.run(async () => {
      const recipients = await this.#recipients(topic, signal)
      try {
        await this.#rpc.call(publishing, signal, async (library, options) => {
          await library.pubsub.publish(topic, payload, options)
        })
      } catch (error) {
        throw isP2plError(error) && isFateUnknown(error) ? uncertain(error) : error
      }
      this.#streams.get(topic)?.expectEcho()
      return { recipients }
    }, signal)
  }

  async join(topic: string, subscriber: Required<Subscriber>, { signal }: HookOptions): Promise<Joined> {
    const stream: TopicStream = new TopicStream({
      rpc: this.#rpc,
      health: this.#health,
      topic,
      subscriber,
      silence: this.#silence,
      life: signal,
      warn: (message) => this.#report({ type: 'warning', message })
    })
    await stream.open()
    this.#streams.set(topic, stream)
    return {
      close: async () => {
        stream.close()
        this.#streams.delete(topic)
      }
    }
  }

  async peers(topic: string, { signal }: HookOptions): Promise<PeerInfo[]> {
    const ids = await this.#peers(topic, signal)
    return ids.map((id) => ({ network: 'libp2p', id, addresses: [] }))
  }

  async #peers(topic: string, signal: AbortSignal): Promise<string[]> {
    const ids: unknown = await this.#rpc.call(
      listing,
      signal,
      async (library, options) => await library.pubsub.peers(topic, options)
    )
    if (!Array.isArray(ids) || !ids.every(isPeerId))
      throw failure(
        'PROTOCOL',
        listing.operation,
        'the answer of the daemon to pubsub/peers is no list of ids of peers'
      )
    return ids
  }

  /**
   * The number of peers that the daemon knows on the topic. If there were none, it is asked again at once, otherwise
   * only after a while.
   */
  async #recipients(topic: string, signal: AbortSignal): Promise<number> {
    const known = this.#counts.get(topic)
    if (known !== undefined && known.until > performance.now()) return known.count
    const { length: count } = await this.#peers(topic, signal)
    if (count > 0) this.#counts.set(topic, { count, until: performance.now() + countLifetime })
    else this.#counts.delete(topic)
    return count
  }
}

function uncertain(cause: Error): Error {
  return failure(
    'UNCERTAIN',
    publishing.operation,
    `nobody knows whether the message was published: ${cause.message}`,
    { cause }
  )
}
