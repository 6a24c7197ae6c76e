import type { PeerId } from '@libp2p/interface'
import type {
  AbortOptions,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportGap,
  TransportSubscription
} from '@p2pl/core/backend'
import { Audience, checkPayload, checkTopic, ownSubscriber, type Door } from '@p2pl/embedded'
import type { Engine } from './engine.ts'
import { failures } from './errors.ts'
import type { Gossip } from './gossip/engine.ts'
import { maxMessageBytes } from './gossip/options.ts'
import { Sources } from './gossip/sources.ts'
import type { StreamEvents } from './gossip/streams.ts'
import { Turns } from './gossip/turns.ts'
import { peerInfo } from './peers.ts'

interface Joined {
  readonly audience: Audience
  readonly sources: Sources
}

/** A peer that was heard this recently (ms) was connected when another one was cut off. */
const fresh = 1_000

/** Topic messages by gossipsub. */
export class Messages implements MessageTransport, StreamEvents {
  /** Not private in the language: tests reach the engine through it. */
  readonly door: Door<Engine>
  readonly #degree: number
  readonly #topics = new Map<string, Joined>()
  readonly #turns = new Turns()

  constructor(door: Door<Engine>, degree: number) {
    this.door = door
    this.#degree = degree
  }

  /** Called once for each engine, before the first call. */
  attach({ gossip, libp2p }: Engine): void {
    gossip.addEventListener('subscription-change', ({ detail }) => {
      const peer = detail.peerId.toString()
      for (const { topic, subscribe } of detail.subscriptions) {
        if (subscribe) this.#topics.get(topic)?.sources.joined(peer)
        else this.#topics.get(topic)?.sources.left(peer)
      }
    })
    libp2p.addEventListener('peer:connect', ({ detail }) => this.opened(detail))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      for (const { sources } of this.#topics.values()) sources.disconnected(detail.toString())
    })
  }

  detach(): void {
    for (const { audience } of this.#topics.values()) audience.subscribers.clear()
    this.#topics.clear()
  }

  isSource(id: string): boolean {
    return [...this.#topics.values()].some(({ sources }) => sources.has(id))
  }

  broken(peer: PeerId): void {
    for (const { sources } of this.#topics.values()) sources.broken(peer.toString())
  }

  opened(peer: PeerId): void {
    for (const { sources } of this.#topics.values()) sources.returned(peer.toString())
  }

  skipped(peer: PeerId): void {
    for (const { audience, sources } of this.#topics.values())
      if (sources.has(peer.toString())) reportGap(audience, 'overflow')
  }

  async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
    return await this.door.call('messages.publish', options, async ({ gossip, streams }) => {
      checkTopic(failures, 'messages.publish', topic)
      checkPayload(failures, 'messages.publish', payload, maxMessageBytes)
      // The engine keeps the bytes for some heartbeats.
      const bytes = new Uint8Array(payload)
      // A caller that publishes in a loop must leave turns of the event loop to everything else, and not outrun its peers.
      await this.#turns.take(bytes.byteLength)
      await streams.room(reachablePeers(gossip, topic))
      const reachable = reachablePeers(gossip, topic).length
      // Handing it to the engine would only fill its caches, and make the same unsigned message a duplicate later.
      if (reachable === 0) return { recipients: 0 }
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
      const { subscribers } = joined.audience
      subscribers.add(own)
      return Promise.resolve({
        close: () => {
          if (subscribers.delete(own) && subscribers.size === 0 && this.#topics.get(topic) === joined)
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

  #join({ gossip, judge, streams }: Engine, topic: string): Joined {
    const audience = new Audience()
    const sources = new Sources(
      () => reportGap(audience, 'disconnected'),
      (peer) => performance.now() - (streams.heardAt(peer) ?? -Infinity) <= fresh
    )
    for (const peer of gossip.getSubscribers(topic)) sources.joined(peer.toString())
    const joined = { audience, sources }
    this.#topics.set(topic, joined)
    // The validator is where a message is first known to be new and rightly signed; it also decides on relaying.
    gossip.topicValidators.set(topic, async (source, message) => {
      sources.joined(source.toString())
      const from = message.type === 'signed' ? message.from.toString() : undefined
      // A copy: the engine relays from the same buffer, which is that of the whole RPC. And no Buffer, whose slice() is a view.
      const payload = new Uint8Array(message.data)
      const verdict = await audience.receive(source.toString(), {
        payload,
        ...(from === undefined ? {} : { from })
      })
      // The author is to blame, not the peer that passed it on: that one may be unable to tell.
      if (verdict === 'reject' && from !== undefined) judge.charge(from)
      // The engine's results are an enum of the same three words.
      return verdict as never
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
function reachablePeers(gossip: Gossip, topic: string): string[] {
  return [...(gossip.topics.get(topic) ?? [])].filter((id) => gossip.streamsOutbound.has(id))
}

function reportGap({ subscribers }: Audience, reason: TransportGap['reason']): void {
  for (const subscriber of subscribers) subscriber.gap({ reason })
}
