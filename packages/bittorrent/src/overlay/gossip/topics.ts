import { bytesKey, concatBytes, type Subscriber } from '@p2pl/core/backend'
import { TopicSources } from '@p2pl/embedded'
import { parseAddress } from '../../tools/address.ts'
import { fixedParts } from '../../tools/bytes.ts'
import { topicKey, type Key } from '../keys.ts'
import type { Dialler } from '../links/dialler.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'
import type { Places } from '../links/places.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { decodeAddresses, maxAddressLength } from './addresses.ts'
import { LostLinks } from './lost-links.ts'
import { Meeting } from './meeting.ts'
import { maxIntroductions, Mesh } from './mesh.ts'
import { keyLength, topicOf } from './message.ts'
import { maxOfOne } from './missing.ts'
import { maxTopics, Presence } from './presence.ts'
import type { Recent } from './recent.ts'

/** A peer that publishes without subscribing stays in the mesh of the topic for this long (ms). */
const visitTime = 60_000
const maxVisits = 256
/** A link that has brought nothing for this many looks may be dead, because each side says something every two looks. */
const suspicious = 4
/** What a peer says about a topic. `rejoined`: it was in the topic when a link between the two peers was lost. */
const entry = { left: 0, joined: 1, rejoined: 2 } as const

export interface TopicsInit {
  readonly frames: Frames
  readonly recent: Recent
  readonly links: Links
  readonly dialler: Dialler
  readonly places: Places
  readonly rendezvous: Rendezvous
  readonly degree: number
}

interface Joined {
  readonly subscriber: Required<Subscriber>
  readonly sources: TopicSources
}

/** A topic that this peer has joined, or publishes in. */
export interface Topic {
  readonly mesh: Mesh
  readonly meeting: Meeting
  joined: Joined | undefined
  visitEnds: number
}

/** The topics of this peer, and which other peers are in them. */
export class Topics {
  readonly #init: TopicsInit
  readonly #topics = new Map<string, Topic>()
  readonly #presence = new Presence()
  readonly #lost = new LostLinks()
  readonly #timer: NodeJS.Timeout

  constructor(init: TopicsInit) {
    this.#init = init
    this.#timer = setInterval(() => this.#endVisits(), visitTime / 4).unref()
    const { frames, links } = init
    frames.on(frame.topics, maxTopics * (keyLength + 1), (link, body) => this.#onTopics(link, body))
    const introductions = keyLength + maxIntroductions * (maxAddressLength + 1)
    frames.on(frame.introduce, introductions, (link, body) => this.#onIntroduce(link, body))
    links.tell({
      opened: (link, former) => this.#opened(link, former),
      closed: (link, replaced) => this.#closed(link, replaced)
    })
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const topic of this.#topics.values()) end(topic)
    this.#topics.clear()
  }

  /** The topic with this key, given as text. */
  get(key: string): Topic | undefined {
    return this.#topics.get(key)
  }

  join(name: string, subscriber: Required<Subscriber>): void {
    const key = topicKey(name)
    const topic = this.#enter(key)
    const sources = new TopicSources(subscriber)
    for (const { id } of topic.mesh.links) sources.joined(id)
    topic.joined = { subscriber, sources }
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(entry.joined), key)
    topic.meeting.again()
  }

  leave(name: string): void {
    const key = topicKey(name)
    const topic = this.#topics.get(bytesKey(key))
    if (topic === undefined) return
    this.#topics.delete(bytesKey(key))
    this.#lost.left(bytesKey(key))
    end(topic)
    this.#init.rendezvous.drop(key)
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(entry.left), key)
  }

  /** For publishing a message. The topic is kept for a while. */
  visit(name: string): Topic {
    const topic = this.#enter(topicKey(name))
    topic.visitEnds = performance.now() + visitTime
    return topic
  }

  /** Links to the peers of a topic. */
  peers(name: string): Link[] {
    const text = bytesKey(topicKey(name))
    const topic = this.#topics.get(text)
    return topic?.mesh.links ?? this.#init.links.all().filter((link) => this.#presence.has(link, text))
  }

  /** When a silent link is heard again, the gap of its topics ends. */
  look(): void {
    for (const { mesh, joined } of this.#topics.values())
      for (const { quiet, id } of mesh.links) if (quiet < suspicious) joined?.sources.connected(id)
  }

  /** Whether any topic of this peer uses the link. */
  shares(link: Link): boolean {
    for (const { mesh } of this.#topics.values()) if (mesh.has(link)) return true
    return false
  }

  #enter(key: Key): Topic {
    const text = bytesKey(key)
    const known = this.#topics.get(text)
    if (known !== undefined) return known
    const mesh = new Mesh(key, this.#init.degree)
    for (const link of this.#init.links.all()) if (this.#presence.has(link, text)) mesh.add(link)
    const meeting = new Meeting({ ...this.#init, key, mesh, joined: () => topic.joined !== undefined })
    const topic: Topic = { mesh, meeting, joined: undefined, visitEnds: performance.now() + visitTime }
    this.#topics.set(text, topic)
    if (this.#topics.size > maxVisits) this.#endVisits()
    meeting.start()
    return topic
  }

  #endVisits(): void {
    const now = performance.now()
    for (const [text, topic] of this.#topics) {
      if (topic.joined !== undefined || topic.visitEnds > now) continue
      this.#topics.delete(text)
      end(topic)
    }
  }

  #opened(link: Link, former: Link | undefined): void {
    if (former !== undefined) this.#lose(former)
    const entries: Uint8Array[] = []
    for (const [text, { mesh, joined }] of this.#topics) {
      if (joined === undefined) continue
      const kind = this.#lost.has(link.id, text) ? entry.rejoined : entry.joined
      entries.push(concatBytes(Uint8Array.of(kind), mesh.key))
      joined.sources.connected(link.id)
    }
    for (let at = 0; at < entries.length; at += maxTopics)
      link.send(frame.topics, concatBytes(...entries.slice(at, at + maxTopics)))
  }

  #closed(link: Link, replaced: boolean): void {
    if (!replaced) this.#lose(link)
    for (const { mesh, joined, meeting } of this.#topics.values()) {
      if (!replaced) joined?.sources.disconnected(link.id)
      if (!mesh.has(link)) continue
      mesh.remove(link)
      if (replaced) meeting.again()
      else meeting.lost(link.address)
    }
  }

  /** Both sides may miss messages: if the link was silent, all messages since it was last heard. */
  #lose(link: Link): void {
    const isAlive = (id: string): boolean => (this.#init.links.get(id)?.quiet ?? Infinity) < suspicious
    const shared: string[] = []
    for (const [text, { mesh, joined }] of this.#topics) {
      if (mesh.has(link)) shared.push(text)
      if (link.quiet >= suspicious) joined?.sources.broken(link.id, link.heardAt, isAlive)
    }
    this.#lost.add(link, shared)
  }

  #onTopics(link: Link, body: Uint8Array): void {
    const missed = new Map<string, number>()
    for (const part of fixedParts(body, keyLength + 1)) {
      if (!link.spend(5)) return
      const text = bytesKey(part.subarray(1))
      const topic = this.#topics.get(text)
      const since = part[0] === entry.rejoined ? this.#lost.take(link, text) : undefined
      this.#lost.forget(link.id, text)
      if (part[0] === entry.left) {
        this.#presence.leave(link, text)
        topic?.mesh.remove(link)
        topic?.joined?.sources.left(link.id)
      } else if (this.#presence.join(link, text) && topic?.mesh.add(link) === true) {
        topic.joined?.sources.joined(link.id)
        topic.mesh.introduce(link)
        if (since !== undefined) missed.set(text, since)
      }
    }
    if (missed.size > 0) this.#tellMissed(link, missed)
  }

  /** Sends only ids. The peer asks for the messages that it has not received from others. */
  #tellMissed(link: Link, since: ReadonlyMap<string, number>): void {
    const ids = Map.groupBy(this.#init.recent.since(since), ({ topic }) => topic)
    // A peer does not ask for more of them from one peer.
    for (const [topic, list] of ids)
      for (const { id } of list.slice(-maxOfOne)) this.#topics.get(topic)?.mesh.tell(link, id)
  }

  #onIntroduce(link: Link, body: Uint8Array): void {
    if (!link.spend(50)) return
    const topic = this.#topics.get(topicOf(body))
    if (topic === undefined) return
    for (const text of decodeAddresses(body.subarray(keyLength), maxIntroductions)) {
      const address = parseAddress(text)
      if (address !== undefined) topic.meeting.heard(address)
    }
  }
}

function end({ mesh, meeting }: Topic): void {
  mesh.stop()
  meeting.stop()
}
