import { bytesKey, type Verdict } from '@p2pl/core/backend'
import { TokenBucket } from '../../tools/token-bucket.ts'
import { fixedParts } from '../../tools/bytes.ts'
import { Pace } from '../../tools/pace.ts'
import { peerIdLength } from '../identity.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import {
  contentOf,
  encodeMessage,
  headLength,
  keyLength,
  maxMessageBytes,
  messageIdLength,
  messageIdOf,
  originOf,
  topicOf
} from './message.ts'
import { maxIdsPerFrame } from './missing.ts'
import type { Recent } from './recent.ts'
import { Room } from './room.ts'
import { Seen } from './seen.ts'
import type { Topic, Topics } from './topics.ts'

const strikeForRejected = 10
/** A verdict that has not come within this time (ms) counts as `ignore`. */
const verdictTimeout = 5_000
/** Bytes per second of old messages that are sent again to one peer. */
const repeatRate: number = 8 * 1024 * 1024
const repeatBurst: number = 32 * 1024 * 1024

export interface GossipInit {
  /** This peer's id. */
  readonly peerId: Uint8Array
  readonly frames: Frames
  readonly topics: Topics
  readonly recent: Recent
}

/** The messages of topics, on the links to their peers. */
export class Gossip {
  readonly #peerId: Uint8Array
  readonly #topics: Topics
  readonly #seen = new Seen()
  readonly #recent: Recent
  readonly #room = new Room()
  readonly #pace = new Pace()
  readonly #repeats = new WeakMap<Link, TokenBucket>()

  constructor({ peerId, frames, topics, recent }: GossipInit) {
    this.#peerId = peerId
    this.#topics = topics
    this.#recent = recent
    frames.on(frame.message, headLength + maxMessageBytes, (link, body) => this.#onMessage(link, body))
    const ids = keyLength + maxIdsPerFrame * messageIdLength
    frames.on(frame.have, ids, (link, body) => this.#onHave(link, body))
    frames.on(frame.want, ids, (link, body) => this.#onWant(link, body))
    frames.on(frame.prune, keyLength + peerIdLength, (link, body) => this.#onPrune(link, body))
  }

  /**
   * Sends a message and returns the number of peers that it was handed to. Waits for room, and leaves turns of the
   * event loop to everything else.
   */
  async publish(name: string, payload: Uint8Array): Promise<number> {
    // Before the first `await`, because the caller may change the bytes after the call.
    const { mesh } = this.#topics.visit(name)
    const body = encodeMessage(mesh.key, this.#peerId, payload)
    await this.#pace.keep()
    await this.#room.wait(mesh.links)
    if (mesh.size === 0) return 0
    const id = messageIdOf(body)
    this.#seen.add(bytesKey(id))
    this.#recent.add(id, body)
    return mesh.publish(bytesKey(this.#peerId), id, body)
  }

  #onMessage(link: Link, body: Uint8Array): void {
    if (body.byteLength < headLength) throw new RangeError('a message is cut off')
    const topic = this.#topics.get(topicOf(body))
    // From a peer that does not know yet that this peer has left.
    if (topic?.joined === undefined) return void link.spend()
    const id = messageIdOf(body)
    const text = bytesKey(id)
    topic.mesh.missing.arrived(text)
    if (!this.#seen.add(text)) {
      const origin = originOf(body)
      if (link.spend()) topic.mesh.repeated(link, origin, bytesKey(origin))
      return
    }
    const { subscriber, sources } = topic.joined
    sources.joined(link.id)
    const own = new Uint8Array(body)
    const judged = (verdict: Verdict): void => this.#judged(topic, link, id, own, verdict)
    const verdict = subscriber.message(contentOf(own))
    if (typeof verdict === 'string') judged(verdict)
    else link.wait(inTime(verdict).then(judged))
  }

  #judged({ mesh }: Topic, link: Link, id: Uint8Array, body: Uint8Array, verdict: Verdict): void {
    if (verdict === 'reject') return link.strike(strikeForRejected)
    if (verdict === 'ignore') return
    link.usefulAt = performance.now()
    this.#recent.add(id, body)
    mesh.relay(link, bytesKey(originOf(body)), id, body)
  }

  #onHave(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(topicOf(body))
    if (!link.spend(1 + body.byteLength / 256)) return
    if (topic?.mesh.has(link) !== true || topic.joined === undefined) return
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      const text = bytesKey(id)
      if (!this.#seen.has(text)) topic.mesh.missing.offered(link.id, text, id)
    }
  }

  #onWant(link: Link, body: Uint8Array): void {
    const topic = this.#topics.get(topicOf(body))
    const budget = this.#repeats.get(link) ?? new TokenBucket(repeatRate, repeatBurst)
    this.#repeats.set(link, budget)
    for (const id of fixedParts(body.subarray(keyLength), messageIdLength)) {
      if (!link.spend(5)) return
      const message = this.#recent.get(bytesKey(id))
      // The peer asks again, or asks another peer.
      if (message === undefined || !budget.take(message.byteLength)) continue
      topic?.mesh.grafted(link, bytesKey(originOf(message)))
      link.send(frame.message, message)
    }
  }

  #onPrune(link: Link, body: Uint8Array): void {
    if (body.byteLength !== keyLength + peerIdLength) throw new RangeError('a prune is cut off')
    if (link.spend()) this.#topics.get(topicOf(body))?.mesh.pruned(link, bytesKey(body.subarray(keyLength)))
  }
}

async function inTime(verdict: Promise<Verdict>): Promise<Verdict> {
  const late = Promise.withResolvers<Verdict>()
  const timer = setTimeout(() => late.resolve('ignore'), verdictTimeout).unref()
  try {
    return await Promise.race([verdict, late.promise])
  } catch {
    return 'ignore'
  } finally {
    clearTimeout(timer)
  }
}
