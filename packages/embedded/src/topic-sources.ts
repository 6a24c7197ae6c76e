import type { Subscriber } from '@p2pl/core/backend'

const maxGone = 256

/**
 * The peers from which messages of one topic come. When the last connection to them is lost, or the way from one of them broke
 * while no other was heard, the topic is `healing`; when one of them is back it is `live`, and the time between is a gap. For
 * engines that pass messages from peer to peer.
 */
export class TopicSources {
  readonly #subscriber: Pick<Required<Subscriber>, 'gap' | 'state'>
  readonly #now: () => number
  readonly #sources = new Set<string>()
  /** Connections that were lost, latest last. */
  readonly #gone = new Set<string>()
  #lostAt: number | undefined

  /** `now`: milliseconds on a monotonic clock. */
  constructor(subscriber: Pick<Required<Subscriber>, 'gap' | 'state'>, now: () => number = () => performance.now()) {
    this.#subscriber = subscriber
    this.#now = now
  }

  has(peer: string): boolean {
    return this.#sources.has(peer)
  }

  /** The peer is in the topic, or has brought a message of it. Called before the message is delivered. */
  joined(peer: string): void {
    this.#sources.add(peer)
    if (this.#lostAt === undefined) return
    const lasted = this.#now() - this.#lostAt
    this.#lostAt = undefined
    this.#gone.clear()
    this.#subscriber.gap({ reason: 'disconnected', lasted })
    this.#subscriber.state('live')
  }

  /** The peer left the topic by its own will. */
  left(peer: string): void {
    this.#sources.delete(peer)
  }

  /** A peer is connected again: one that brought messages before may bring some again, subscribed or not. */
  connected(peer: string): void {
    if (this.#lostAt !== undefined && (this.#gone.has(peer) || this.#sources.has(peer))) this.joined(peer)
  }

  /**
   * The way from the peer broke though it may still be connected, so that messages by it may be missing since then. `isAlive`
   * tells of another peer whether it was heard just now: then its messages came all the while, and nothing is missing.
   */
  broken(peer: string, since: number, isAlive: (other: string) => boolean): void {
    if (!this.#sources.has(peer)) return
    for (const other of this.#sources) if (other !== peer && isAlive(other)) return
    this.#lose(since)
  }

  /** The connection to the peer is gone. */
  disconnected(peer: string): void {
    if (!this.#sources.delete(peer)) return
    this.#gone.add(peer)
    for (const oldest of this.#gone) if (this.#gone.size > maxGone) this.#gone.delete(oldest)
    if (this.#sources.size === 0) this.#lose(this.#now())
  }

  #lose(since: number): void {
    if (this.#lostAt !== undefined) return
    this.#lostAt = since
    this.#subscriber.state('healing')
  }
}
