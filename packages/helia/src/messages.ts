import type {
  AbortOptions,
  IncomingMessage,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription
} from '@p2pl/core/backend'
import { Audience, checkPayload, checkTopic, ownSubscriber, type Door } from '@p2pl/embedded'
import type { Engine } from './engine.ts'
import { failures } from './errors.ts'
import { maxMessageBytes } from './gossip.ts'
import { peerInfo } from './peers.ts'
import { repairStreams } from './repair.ts'

/** Topic messages by gossipsub. */
export class Messages implements MessageTransport {
  /** Not private in the language: tests reach the engine through it. */
  readonly door: Door<Engine>
  readonly #degree: number
  readonly #topics = new Map<string, Audience>()

  constructor(door: Door<Engine>, degree: number) {
    this.door = door
    this.#degree = degree
  }

  /** Called once for each engine, before the first call. */
  attach({ gossip, libp2p }: Engine): void {
    repairStreams(libp2p, gossip)
    gossip.addEventListener('subscription-change', ({ detail }) => {
      const peer = detail.peerId.toString()
      for (const { topic, subscribe } of detail.subscriptions) {
        if (subscribe) this.#topics.get(topic)?.joined(peer)
        else this.#topics.get(topic)?.left(peer)
      }
    })
    libp2p.addEventListener('peer:connect', ({ detail }) => {
      for (const topic of this.#topics.values()) topic.connected(detail.toString())
    })
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      for (const topic of this.#topics.values()) topic.disconnected(detail.toString())
    })
  }

  detach(): void {
    for (const topic of this.#topics.values()) topic.subscribers.clear()
    this.#topics.clear()
  }

  async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
    return await this.door.quick('messages.publish', options, async ({ gossip }) => {
      checkTopic(failures, 'messages.publish', topic)
      checkPayload(failures, 'messages.publish', payload, maxMessageBytes)
      const reachable = reachablePeers(gossip, topic).length
      // Handing it to the engine would only fill its caches, and make the same unsigned message a duplicate later.
      if (reachable === 0) return { recipients: 0 }
      // The engine keeps the bytes for some heartbeats.
      const bytes = new Uint8Array(payload)
      // Who is subscribed has a mesh, and the engine tops it up to the degree; who only publishes may know a single relay.
      const flood = reachable <= this.#degree || !this.#topics.has(topic)
      const { recipients } = await gossip.publish(topic, bytes, { floodPublish: flood })
      if (recipients.length > 0 || flood) return { recipients: recipients.length }
      const second = await gossip.publish(topic, bytes, { floodPublish: true })
      return { recipients: second.recipients.length }
    })
  }

  async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
    return await this.door.quick('messages.subscribe', options, (engine) => {
      checkTopic(failures, 'messages.subscribe', topic)
      const joined = this.#topics.get(topic) ?? this.#join(engine, topic)
      const own = ownSubscriber(subscriber)
      joined.subscribers.add(own)
      return Promise.resolve({
        close: () => {
          if (joined.subscribers.delete(own) && joined.subscribers.size === 0 && this.#topics.get(topic) === joined)
            this.#leave(engine, topic)
          return Promise.resolve()
        }
      })
    })
  }

  async peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.door.quick('messages.peers', options, async ({ gossip, libp2p }) => {
      checkTopic(failures, 'messages.peers', topic)
      return await Promise.all(reachablePeers(gossip, topic).map((id) => peerInfo(libp2p, id)))
    })
  }

  #join({ gossip }: Engine, topic: string): Audience {
    const joined = new Audience()
    for (const peer of gossip.getSubscribers(topic)) joined.joined(peer.toString())
    this.#topics.set(topic, joined)
    // The validator is where a message is first known to be new and rightly signed; it also decides on relaying.
    gossip.topicValidators.set(topic, (source, message) => {
      const incoming: IncomingMessage = {
        // A copy: the engine relays from the same buffer, which is that of the whole RPC. And no Buffer, whose slice() is a view.
        payload: new Uint8Array(message.data),
        ...(message.type === 'signed' ? { from: message.from.toString() } : {})
      }
      // The engine's results are an enum of the same three words.
      return joined.receive(source.toString(), incoming) as never
    })
    gossip.subscribe(topic)
    return joined
  }

  #leave({ gossip }: Engine, topic: string): void {
    this.#topics.delete(topic)
    gossip.topicValidators.delete(topic)
    if (this.door.engine?.gossip === gossip) gossip.unsubscribe(topic)
  }
}

/**
 * Peers that are in the topic and to which a stream is open. At the event of a subscription the stream may not be there yet,
 * and the engine then drops what is published without a word.
 */
function reachablePeers(gossip: Engine['gossip'], topic: string): string[] {
  return [...(gossip.topics.get(topic) ?? [])].filter((id) => gossip.streamsOutbound.has(id))
}
