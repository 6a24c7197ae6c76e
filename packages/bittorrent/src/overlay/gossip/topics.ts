import { bytesKey, type Subscriber } from '@p2pl/core/backend'
import { TopicSources } from '@p2pl/embedded'
import { parseAddress } from '../../tools/address.ts'
import { concatBytes, fixedParts } from '../../tools/bytes.ts'
import { topicKey, type Key } from '../keys.ts'
import type { Dialler } from '../links/dialler.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'
import type { Places } from '../links/places.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { decodeAddresses, maxAddressLength } from './addresses.ts'
import { Meeting } from './meeting.ts'
import { maxIntroductions, Mesh } from './mesh.ts'
import { keyLength, topicOf } from './message.ts'
import { maxTopics, Presence } from './presence.ts'

/** A peer that publishes without subscribing keeps its way into the topic for this long. */
const visitTime = 60_000
const maxVisits = 256

export interface TopicsInit {
  readonly frames: Frames
  readonly links: Links
  readonly dialler: Dialler
  readonly places: Places
  readonly rendezvous: Rendezvous
  readonly degree: number
}

/** A topic that this peer has joined, or publishes in. */
export interface Topic {
  readonly mesh: Mesh
  readonly meeting: Meeting
  joined: { readonly subscriber: Required<Subscriber>; readonly sources: TopicSources } | undefined
  visitEnds: number
}

/** The topics of this peer, and who else is in them. */
export class Topics {
  readonly #init: TopicsInit
  readonly #topics = new Map<string, Topic>()
  readonly #presence = new Presence()
  readonly #timer: NodeJS.Timeout

  constructor(init: TopicsInit) {
    this.#init = init
    this.#timer = setInterval(() => this.#endVisits(), visitTime / 4).unref()
    const { frames, links } = init
    frames.on(frame.topics, maxTopics * (keyLength + 1), (link, body) => this.#onTopics(link, body))
    const introductions = keyLength + maxIntroductions * (maxAddressLength + 1)
    frames.on(frame.introduce, introductions, (link, body) => this.#onIntroduce(link, body))
    links.tell({
      opened: (link) => this.#opened(link),
      closed: (link, replaced) => this.#closed(link, replaced)
    })
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const topic of this.#topics.values()) end(topic)
    this.#topics.clear()
  }

  /** The topic of the key, given as a text. */
  get(key: string): Topic | undefined {
    return this.#topics.get(key)
  }

  join(name: string, subscriber: Required<Subscriber>): void {
    const key = topicKey(name)
    const topic = this.#enter(key)
    const sources = new TopicSources(subscriber)
    for (const { id } of topic.mesh.links) sources.joined(id)
    topic.joined = { subscriber, sources }
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(1), key)
    topic.meeting.again()
  }

  leave(name: string): void {
    const key = topicKey(name)
    const topic = this.#topics.get(bytesKey(key))
    if (topic === undefined) return
    this.#topics.delete(bytesKey(key))
    end(topic)
    this.#init.rendezvous.drop(key)
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(0), key)
  }

  /** For a message of the own: the topic is kept for a while. */
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

  /** Whether a topic of this peer goes over the link. */
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

  #opened(link: Link): void {
    const entries: Uint8Array[] = []
    for (const { mesh, joined } of this.#topics.values()) {
      if (joined === undefined) continue
      entries.push(concatBytes(Uint8Array.of(1), mesh.key))
      joined.sources.connected(link.id)
    }
    for (let at = 0; at < entries.length; at += maxTopics)
      link.send(frame.topics, concatBytes(...entries.slice(at, at + maxTopics)))
  }

  #closed(link: Link, replaced: boolean): void {
    for (const { mesh, joined, meeting } of this.#topics.values()) {
      if (!replaced) joined?.sources.disconnected(link.id)
      if (!mesh.has(link)) continue
      mesh.remove(link)
      if (replaced) meeting.again()
      else meeting.lost(link.address)
    }
  }

  #onTopics(link: Link, body: Uint8Array): void {
    for (const part of fixedParts(body, keyLength + 1)) {
      if (!link.spend(5)) return
      const text = bytesKey(part.subarray(1))
      const topic = this.#topics.get(text)
      if (part[0] === 0) {
        this.#presence.leave(link, text)
        topic?.mesh.remove(link)
        topic?.joined?.sources.left(link.id)
      } else if (this.#presence.join(link, text) && topic?.mesh.add(link) === true) {
        topic.joined?.sources.joined(link.id)
        topic.mesh.introduce(link)
      }
    }
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
