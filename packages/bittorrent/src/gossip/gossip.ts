import { randomBytes } from 'node:crypto'
import type { Verdict } from '@p2pl/core/backend'
import { parseAddress } from '../address.ts'
import { concatBytes, hexOf, textOf } from '../bytes.ts'
import { decodeAddresses, fixedParts, frame, keyLength, messageIdLength, peerIdLength } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'
import type { Links } from '../engine/links.ts'
import type { Rendezvous } from '../engine/rendezvous.ts'
import { topicKey } from '../keys.ts'
import { Audience } from '@p2pl/embedded'
import { Meeting } from './meeting.ts'
import { Mesh } from './mesh.ts'
import { Recent } from './recent.ts'
import { Seen } from './seen.ts'

const headLength = keyLength + messageIdLength + peerIdLength
/** Who publishes without subscribing keeps its way into the topic for this long. */
const visitLimit = 60_000
const maxVisits = 256
const strikeForRejected = 10
const maxIntroductions = 16

export interface GossipInit {
  readonly links: Links
  readonly rendezvous: Rendezvous
  readonly peerId: Uint8Array
  readonly degree: number
}

/** What is known of a topic that this participant subscribes to or publishes in. */
interface Topic {
  readonly mesh: Mesh
  readonly audience: Audience
  readonly meeting: Meeting
  visitEnds: number
}

/** Topic messages among participants: an overlay of its own on the links. */
export class Gossip {
  readonly #init: GossipInit
  readonly #topics = new Map<string, Topic>()
  readonly #seen = new Seen()
  readonly #recent = new Recent()
  readonly #timer: NodeJS.Timeout

  constructor(init: GossipInit) {
    this.#init = init
    this.#timer = setInterval(() => this.#endVisits(), visitLimit / 4).unref()
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

  neighbours(name: string): Link[] {
    const key = topicKey(name)
    const topic = this.#topics.get(textOf(key))
    if (topic !== undefined) return topic.mesh.neighbours
    return this.#init.links.all().filter((link) => link.topics.has(textOf(key)))
  }

  /** Whether a topic of this participant goes over the link. */
  shares(link: Link): boolean {
    for (const { mesh } of this.#topics.values()) if (mesh.has(link)) return true
    return false
  }

  /** Sends a message and gives to how many it was handed. */
  publish(name: string, payload: Uint8Array): number {
    const key = topicKey(name)
    const topic = this.#enter(key)
    topic.visitEnds = performance.now() + visitLimit
    if (topic.mesh.size === 0) return 0
    const id = new Uint8Array(randomBytes(messageIdLength))
    const body = concatBytes(key, id, this.#init.peerId, payload)
    this.#seen.add(textOf(id))
    this.#recent.add(textOf(id), body)
    return topic.mesh.publish(textOf(this.#init.peerId), id, body)
  }

  opened(link: Link): void {
    const joined: Uint8Array[] = []
    for (const { mesh, audience } of this.#topics.values()) {
      if (audience.subscribers.size > 0) joined.push(Uint8Array.of(1), mesh.key)
      audience.connected(link.id)
    }
    if (joined.length > 0) link.send(frame.topics, concatBytes(...joined))
  }

  closed(link: Link, replaced: boolean): void {
    for (const { mesh, audience, meeting } of this.#topics.values()) {
      if (!replaced) audience.disconnected(link.id)
      if (!mesh.has(link)) continue
      mesh.remove(link)
      meeting.again()
    }
  }

  /** Handles a frame of one of the kinds that are its own. Throws when the frame is malformed. */
  frame(link: Link, kind: number, body: Uint8Array): boolean {
    switch (kind) {
      case frame.message:
        this.#onMessage(link, body)
        return true
      case frame.topics:
        this.#onTopics(link, body)
        return true
      case frame.have:
        this.#onHave(link, body)
        return true
      case frame.want:
        this.#onWant(link, body)
        return true
      case frame.prune:
        this.#onPrune(link, body)
        return true
      case frame.peers:
        this.#onPeers(link, body)
        return true
      default:
        return false
    }
  }

  #enter(key: Uint8Array): Topic {
    const text = textOf(key)
    const known = this.#topics.get(text)
    if (known !== undefined) return known
    const { links, rendezvous, degree } = this.#init
    const mesh = new Mesh(key, degree)
    const audience = new Audience()
    for (const link of links.all()) {
      if (!link.topics.has(text)) continue
      mesh.add(link)
      audience.joined(link.id)
    }
    const meeting = new Meeting({
      key,
      links,
      rendezvous,
      degree,
      size: () => mesh.size,
      announces: () => audience.subscribers.size > 0
    })
    const topic = { mesh, audience, meeting, visitEnds: performance.now() + visitLimit }
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
      const key = textOf(part.subarray(1))
      const topic = this.#topics.get(key)
      if (part[0] === 0) {
        link.topics.delete(key)
        topic?.mesh.remove(link)
        topic?.audience.left(link.id)
      } else if (link.joined(key) && topic?.mesh.add(link) === true) {
        topic.audience.joined(link.id)
        topic.mesh.introduce(link)
      }
    }
  }

  #onMessage(link: Link, body: Uint8Array): void {
    if (body.byteLength < headLength) throw new RangeError('a message is cut off')
    const topic = this.#topics.get(textOf(body.subarray(0, keyLength)))
    // Somebody who has not yet heard that this participant has left.
    if (topic === undefined || topic.audience.subscribers.size === 0) return void link.spend()
    const id = textOf(body.subarray(keyLength, keyLength + messageIdLength))
    topic.mesh.arrived(id)
    const origin = body.subarray(keyLength + messageIdLength, headLength)
    if (!this.#seen.add(id)) {
      if (link.spend()) topic.mesh.repeated(link, textOf(origin), new Uint8Array(origin))
      return
    }
    // A copy: what was read shares its memory with whatever came in the same packet.
    const own = new Uint8Array(body)
    const verdict = topic.audience.receive(link.id, {
      // Another one: a subscriber may do with its payload what it likes.
      payload: own.slice(headLength),
      from: hexOf(origin)
    })
    if (typeof verdict === 'string') this.#judged(topic, link, id, own, verdict)
    else void verdict.then((later) => this.#judged(topic, link, id, own, later))
  }

  #judged(topic: Topic, link: Link, id: string, body: Uint8Array, verdict: Verdict): void {
    if (verdict === 'reject') return link.strike(strikeForRejected)
    if (verdict === 'ignore') return
    this.#recent.add(id, body)
    const origin = textOf(body.subarray(keyLength + messageIdLength, headLength))
    topic.mesh.relay(link, origin, body.subarray(keyLength, keyLength + messageIdLength), body)
  }

  #onHave(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(textOf(body.subarray(0, keyLength)))
    if (topic?.mesh.has(link) !== true || topic.audience.subscribers.size === 0) return void link.spend()
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      const text = textOf(id)
      if (!this.#seen.has(text)) topic.mesh.offered(link, text, id)
    }
  }

  #onWant(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(textOf(body.subarray(0, keyLength)))
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      if (!link.spend(5)) return
      const message = this.#recent.get(textOf(id))
      if (message === undefined) continue
      topic?.mesh.grafted(link, textOf(message.subarray(keyLength + messageIdLength, headLength)))
      link.send(frame.message, message)
    }
  }

  #onPrune(link: Link, body: Uint8Array): void {
    if (body.byteLength !== keyLength + peerIdLength) throw new RangeError('a prune is cut off')
    if (link.spend())
      this.#topics.get(textOf(body.subarray(0, keyLength)))?.mesh.pruned(link, textOf(body.subarray(keyLength)))
  }

  #onPeers(link: Link, body: Uint8Array): void {
    if (!link.spend(50)) return
    const topic = this.#topics.get(textOf(body.subarray(0, keyLength)))
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
