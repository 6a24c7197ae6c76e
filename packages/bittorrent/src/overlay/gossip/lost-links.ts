import { BoundedMap } from '@p2pl/core/backend'
import type { Link } from '../links/link.ts'
import { longestSilence } from '../links/liveness.ts'

const maxPeers = 512
/** Each side counts looks, not time, so a side that was blocked or busy cuts its link late. */
const margin: number = 3 * longestSilence
/**
 * A peer is told of a missed message at most this often. That costs less than the head of the message, which connected
 * peers get anyway.
 */
const maxTold = 3

/** Messages of one topic that a peer may have missed. */
interface Absence {
  readonly since: number
  /** How often the peer was told of them on links that were lost soon afterwards. */
  readonly told: number
}

type Absences = Map<string, Absence>

/** Since when the peers of lost links may have missed messages, by topic. Strangers have missed nothing. */
export class LostLinks {
  readonly #peers = new BoundedMap<string, Absences>(maxPeers)
  readonly #told = new WeakMap<Link, Absences>()

  add(link: Link, topics: readonly string[]): void {
    if (topics.length === 0) return
    const { id, openedAt, heardAt } = link
    // A link that is dead in one direction keeps delivering in the other until the other side cuts it.
    const since = heardAt - margin
    const absences = this.#peers.get(id) ?? new Map<string, Absence>()
    for (const topic of topics) {
      const told = this.#told.get(link)?.get(topic)
      if (since >= openedAt) absences.set(topic, { since, told: 0 })
      else absences.set(topic, told !== undefined && told.told < maxTold ? told : { since: openedAt, told: 0 })
    }
    this.#peers.set(id, absences)
  }

  has(id: string, topic: string): boolean {
    return this.#peers.get(id)?.has(topic) === true
  }

  /** Since when the returning peer may have missed messages of the topic. The caller then tells it of them on this link. */
  take(link: Link, topic: string): number | undefined {
    const absence = this.#peers.get(link.id)?.get(topic)
    if (absence === undefined) return undefined
    const told = this.#told.get(link) ?? new Map<string, Absence>()
    this.#told.set(link, told.set(topic, { since: absence.since, told: absence.told + 1 }))
    return absence.since
  }

  /** This peer has left the topic. */
  left(topic: string): void {
    for (const id of this.#peers.keys()) this.forget(id, topic)
  }

  /** The peer has left the topic, and may join it again. */
  forget(id: string, topic: string): void {
    const absences = this.#peers.get(id)
    absences?.delete(topic)
    if (absences?.size === 0) this.#peers.delete(id)
  }
}
