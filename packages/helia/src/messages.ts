import type { PeerId } from '@libp2p/interface'
import type { HookOptions, Joined, MessageHooks, PeerInfo, PublishResult, Subscriber } from '@p2pl/core/backend'
import { TopicSources } from '@p2pl/embedded'
import type { Engine } from './engine/engine.ts'
import type { Gossip } from './engine/gossip/engine.ts'
import type { StreamEvents } from './engine/gossip/streams.ts'
import { newBreather } from './engine/streams/breather.ts'
import { peerInfo } from './engine/peers.ts'

interface Topic {
  readonly subscriber: Required<Subscriber>
  readonly sources: TopicSources
}

/** A peer heard within this time (ms) counts as connected at the moment when another peer was cut off. */
const fresh = 1_000
/** A connection counts as lost after this long (ms) without an answer. */
const silence = 13_000

/** The joined topics. They last no longer than an engine, but exist before it starts. */
export class Topics implements StreamEvents {
  readonly joined: Map<string, Topic> = new Map()

  isSource(id: string): boolean {
    return [...this.joined.values()].some(({ sources }) => sources.has(id))
  }

  broken(peer: PeerId, heardAt: (id: string) => number): void {
    const now = performance.now()
    const since = Math.max(heardAt(peer.toString()), now - silence)
    for (const { sources } of this.joined.values())
      sources.broken(peer.toString(), since, (other) => now - heardAt(other) <= fresh)
  }

  opened(peer: PeerId): void {
    for (const { sources } of this.joined.values()) sources.connected(peer.toString())
  }

  skipped(peer: PeerId): void {
    for (const { sources, subscriber } of this.joined.values())
      if (sources.has(peer.toString())) subscriber.gap({ reason: 'overflow' })
  }
}

/** Topic messages by gossipsub. */
export class Messages implements Required<MessageHooks> {
  readonly #engine: Engine
  readonly #topics: Topics['joined']
  readonly #degree: number
  readonly #breather = newBreather()

  constructor(engine: Engine, topics: Topics, degree: number) {
    this.#engine = engine
    this.#topics = topics.joined
    this.#degree = degree
    engine.gossip.addEventListener('subscription-change', ({ detail }) => {
      const peer = detail.peerId.toString()
      for (const { topic, subscribe } of detail.subscriptions) {
        if (subscribe) this.#topics.get(topic)?.sources.joined(peer)
        else this.#topics.get(topic)?.sources.left(peer)
      }
    })
    engine.libp2p.addEventListener('peer:connect', ({ detail }) => topics.opened(detail))
    engine.libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      for (const { sources } of this.#topics.values()) sources.disconnected(detail.toString())
    })
  }

  async publish(topic: string, payload: Uint8Array): Promise<PublishResult> {
    const { gossip, streams } = this.#engine
    // The engine keeps the bytes for some heartbeats.
    const bytes = new Uint8Array(payload)
    // A caller that publishes in a loop must leave turns of the event loop to everything else, and must not outrun its
    // peers.
    await this.#breather.before(bytes.byteLength)
    await streams.room(reachablePeers(gossip, topic))
    const reachable = reachablePeers(gossip, topic).length
    // Handing it to the engine would only fill its caches, and would make the same unsigned message a duplicate later.
    if (reachable === 0) return { recipients: 0 }
    // A subscriber has a mesh, which the engine fills up to the degree. A peer that only publishes may know a single
    // relay.
    const flood = reachable <= this.#degree || !this.#topics.has(topic)
    const { recipients } = await gossip.publish(topic, bytes, { floodPublish: flood })
    if (recipients.length > 0 || flood) return { recipients: recipients.length }
    const second = await gossip.publish(topic, bytes, { floodPublish: true })
    return { recipients: second.recipients.length }
  }

  async join(topic: string, subscriber: Required<Subscriber>): Promise<Joined> {
    const { gossip, judge } = this.#engine
    const sources = new TopicSources(subscriber)
    for (const peer of gossip.getSubscribers(topic)) sources.joined(peer.toString())
    this.#topics.set(topic, { subscriber, sources })
    // The validator is the first place where a message is known to be new and correctly signed. It also decides on
    // relaying.
    gossip.topicValidators.set(topic, async (source, message) => {
      sources.joined(source.toString())
      const from = message.type === 'signed' ? message.from.toString() : undefined
      // A copy, because the engine relays from the same buffer, which holds the whole RPC. It must not be a Buffer,
      // whose slice() is a view.
      const payload = new Uint8Array(message.data)
      const verdict = await subscriber.message(
        from === undefined ? { payload, via: source.toString() } : { payload, from }
      )
      // The author is to blame, not the peer that forwarded the message, which may be unable to tell.
      if (verdict === 'reject' && from !== undefined) judge.charge(from)
      // The engine's results are an enum of the same three words.
      return verdict as never
    })
    gossip.subscribe(topic)
    return {
      close: async () => {
        this.#topics.delete(topic)
        gossip.topicValidators.delete(topic)
        if (gossip.isStarted()) gossip.unsubscribe(topic)
      }
    }
  }

  async peers(topic: string, _options: HookOptions): Promise<readonly PeerInfo[]> {
    const { gossip, libp2p } = this.#engine
    return await Promise.all(reachablePeers(gossip, topic).map((id) => peerInfo(libp2p, id)))
  }
}

/**
 * Peers in the topic to which a stream is open. At the event of a subscription the stream may not exist yet, and then
 * the engine silently drops published messages.
 */
function reachablePeers(gossip: Gossip, topic: string): string[] {
  return [...(gossip.topics.get(topic) ?? [])].filter((id) => gossip.streamsOutbound.has(id))
}
