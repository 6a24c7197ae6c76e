import type { Verdict } from '@p2pl/core/backend'
import { Audience } from '@p2pl/embedded'
import { parseAddress } from '../../tools/address.ts'
import { Budget } from '../../tools/budget.ts'
import { concatBytes, fixedParts, textOf } from '../../tools/bytes.ts'
import { peerIdLength, type Identity } from '../identity.ts'
import { topicKey, type Key } from '../keys.ts'
import type { Dialler } from '../links/dialler.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'
import type { Places } from '../links/places.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { decodeAddresses } from './addresses.ts'
import { Meeting } from './meeting.ts'
import { maxIntroductions, Mesh } from './mesh.ts'
import {
  contentOf,
  encodeMessage,
  headLength,
  keyLength,
  messageIdLength,
  messageIdOf,
  originOf,
  topicOf
} from './message.ts'
import { maxIdsPerFrame } from './missing.ts'
import { maxTopics, Presence } from './presence.ts'
import { Recent } from './recent.ts'
import { Seen } from './seen.ts'

export const maxMessageBytes = 1_048_576

/** A peer that publishes without subscribing keeps its way into the topic for this long. */
const visitTime = 60_000
const maxVisits = 256
const strikeForRejected = 10
/** Bytes a second of old messages that one peer is given again. */
const repeatRate: number = 8 * 1024 * 1024
const repeatBurst: number = 32 * 1024 * 1024

export interface GossipInit {
  readonly identity: Identity
  readonly frames: Frames
  readonly links: Links
  readonly dialler: Dialler
  readonly places: Places
  readonly rendezvous: Rendezvous
  readonly degree: number
}

/** A topic that this peer subscribes to or publishes in. */
interface Topic {
  readonly mesh: Mesh
  readonly audience: Audience
  readonly meeting: Meeting
  visitEnds: number
}

/** Messages on topics: an overlay of its own on the links. */
export class Gossip {
  readonly #init: GossipInit
  readonly #topics = new Map<string, Topic>()
  readonly #presence = new Presence()
  readonly #seen = new Seen()
  readonly #recent = new Recent()
  readonly #repeats = new WeakMap<Link, Budget>()
  readonly #timer: NodeJS.Timeout

  constructor(init: GossipInit) {
    this.#init = init
    this.#timer = setInterval(() => this.#endVisits(), visitTime / 4).unref()
    const { frames, links } = init
    frames.on(frame.message, headLength + maxMessageBytes, (link, body) => this.#onMessage(link, body))
    frames.on(frame.topics, maxTopics * (keyLength + 1), (link, body) => this.#onTopics(link, body))
    const ids = keyLength + maxIdsPerFrame * messageIdLength
    frames.on(frame.have, ids, (link, body) => this.#onHave(link, body))
    frames.on(frame.want, ids, (link, body) => this.#onWant(link, body))
    frames.on(frame.prune, keyLength + peerIdLength, (link, body) => this.#onPrune(link, body))
    frames.on(frame.introduce, keyLength + maxIntroductions * 65, (link, body) => this.#onIntroduce(link, body))
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

  audience(name: string): Audience {
    return this.#enter(topicKey(name)).audience
  }

  /** The first subscription is there. */
  join(name: string): void {
    const key = topicKey(name)
    const { meeting } = this.#enter(key)
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(1), key)
    meeting.again()
  }

  /** The last subscription is gone. */
  leave(name: string): void {
    const key = topicKey(name)
    const topic = this.#topics.get(textOf(key))
    if (topic === undefined) return
    this.#topics.delete(textOf(key))
    end(topic)
    for (const link of this.#init.links.all()) link.send(frame.topics, Uint8Array.of(0), key)
  }

  /** Links to the peers of a topic. */
  peers(name: string): Link[] {
    const text = textOf(topicKey(name))
    const topic = this.#topics.get(text)
    return topic?.mesh.links ?? this.#init.links.all().filter((link) => this.#presence.has(link, text))
  }

  /** Whether a topic of this peer goes over the link. */
  shares(link: Link): boolean {
    for (const { mesh } of this.#topics.values()) if (mesh.has(link)) return true
    return false
  }

  /** Sends a message and gives to how many it was handed. */
  publish(name: string, payload: Uint8Array): number {
    const { peerId } = this.#init.identity
    const key = topicKey(name)
    const topic = this.#enter(key)
    topic.visitEnds = performance.now() + visitTime
    if (topic.mesh.size === 0) return 0
    const body = encodeMessage(key, peerId, payload)
    const id = messageIdOf(body)
    this.#seen.add(textOf(id))
    this.#recent.add(textOf(id), body)
    return topic.mesh.publish(textOf(peerId), id, body)
  }

  #opened(link: Link): void {
    const joined: Uint8Array[] = []
    for (const { mesh, audience } of this.#topics.values()) {
      if (audience.subscribers.size > 0) joined.push(Uint8Array.of(1), mesh.key)
      audience.connected(link.id)
    }
    const perFrame = maxTopics * 2
    for (let at = 0; at < joined.length; at += perFrame)
      link.send(frame.topics, concatBytes(...joined.slice(at, at + perFrame)))
  }

  #closed(link: Link, replaced: boolean): void {
    for (const { mesh, audience, meeting } of this.#topics.values()) {
      if (!replaced) audience.disconnected(link.id)
      if (!mesh.has(link)) continue
      mesh.remove(link)
      if (replaced) meeting.again()
      else meeting.lost(link.address)
    }
  }

  #enter(key: Key): Topic {
    const text = textOf(key)
    const known = this.#topics.get(text)
    if (known !== undefined) return known
    const mesh = new Mesh(key, this.#init.degree)
    const audience = new Audience()
    for (const link of this.#init.links.all()) {
      if (!this.#presence.has(link, text)) continue
      mesh.add(link)
      audience.joined(link.id)
    }
    const meeting = new Meeting({ ...this.#init, key, mesh, announces: () => audience.subscribers.size > 0 })
    const topic = { mesh, audience, meeting, visitEnds: performance.now() + visitTime }
    this.#topics.set(text, topic)
    if (this.#topics.size > maxVisits) this.#endVisits()
    return topic
  }

  #endVisits(): void {
    const now = performance.now()
    for (const [text, topic] of this.#topics) {
      if (topic.audience.subscribers.size > 0 || topic.visitEnds > now) continue
      this.#topics.delete(text)
      end(topic)
    }
  }

  #onTopics(link: Link, body: Uint8Array): void {
    for (const part of fixedParts(body, keyLength + 1)) {
      if (!link.spend(5)) return
      const text = textOf(part.subarray(1))
      const topic = this.#topics.get(text)
      if (part[0] === 0) {
        this.#presence.leave(link, text)
        topic?.mesh.remove(link)
        topic?.audience.left(link.id)
      } else if (this.#presence.join(link, text) && topic?.mesh.add(link) === true) {
        topic.audience.joined(link.id)
        topic.mesh.introduce(link)
      }
    }
  }

  #onMessage(link: Link, body: Uint8Array): void {
    if (body.byteLength < headLength) throw new RangeError('a message is cut off')
    const topic = this.#topics.get(topicOf(body))
    // From a peer that has not yet heard that this one has left.
    if (topic === undefined || topic.audience.subscribers.size === 0) return void link.spend()
    const id = messageIdOf(body)
    const text = textOf(id)
    topic.mesh.missing.arrived(text)
    if (!this.#seen.add(text)) {
      const origin = originOf(body)
      if (link.spend()) topic.mesh.repeated(link, origin, textOf(origin))
      return
    }
    const own = new Uint8Array(body)
    const judged = (verdict: Verdict): void => this.#judged(topic, link, id, own, verdict)
    const verdict = topic.audience.receive(link.id, contentOf(own))
    if (typeof verdict === 'string') judged(verdict)
    else link.wait(verdict.then(judged))
  }

  #judged({ mesh }: Topic, link: Link, id: Uint8Array, body: Uint8Array, verdict: Verdict): void {
    if (verdict === 'reject') return link.strike(strikeForRejected)
    if (verdict === 'ignore') return
    link.usefulAt = performance.now()
    this.#recent.add(textOf(id), body)
    mesh.relay(link, textOf(originOf(body)), id, body)
  }

  #onHave(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(topicOf(body))
    if (!link.spend(1 + body.byteLength / 256)) return
    if (topic?.mesh.has(link) !== true || topic.audience.subscribers.size === 0) return
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      const text = textOf(id)
      if (!this.#seen.has(text)) topic.mesh.missing.offered(link, text, id)
    }
  }

  #onWant(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(topicOf(body))
    const budget = this.#repeats.get(link) ?? new Budget(repeatRate, repeatBurst)
    this.#repeats.set(link, budget)
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      if (!link.spend(5)) return
      const message = this.#recent.get(textOf(id))
      // It asks again, or another one.
      if (message === undefined || !budget.take(message.byteLength)) continue
      topic?.mesh.grafted(link, textOf(originOf(message)))
      link.send(frame.message, message)
    }
  }

  #onPrune(link: Link, body: Uint8Array): void {
    if (body.byteLength !== keyLength + peerIdLength) throw new RangeError('a prune is cut off')
    if (link.spend()) this.#topics.get(topicOf(body))?.mesh.pruned(link, textOf(body.subarray(keyLength)))
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

function end({ mesh, meeting, audience }: Topic): void {
  mesh.stop()
  meeting.stop()
  audience.subscribers.clear()
}
