import type { Subscriber } from '@p2pl/core/backend'

const maxGone = 256

/**
 * The peers from which messages of one topic arrive, for engines that forward messages from peer to peer. The topic is
 * `healing` when the last connection to them is lost, or when the path from one of them breaks while no other is heard.
 * When one of them is back, the topic is `live`, and the time between is a gap.
 */
export class TopicSources {
  readonly #subscriber: Pick<Required<Subscriber>, 'gap' | 'state'>
  readonly #now: () => number
  readonly #sources = new Set<string>()
  /** Lost connections, the latest last. */
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

  /** The peer left the topic voluntarily. */
  left(peer: string): void {
    this.#sources.delete(peer)
  }

  /** A peer is connected again. If it brought messages before, it may do so again, whether or not it is subscribed. */
  connected(peer: string): void {
    if (this.#lostAt !== undefined && (this.#gone.has(peer) || this.#sources.has(peer))) this.joined(peer)
  }

  /**
   * The path from the peer broke, although it may still be connected. Messages through it may be missing since then.
   * `isAlive` tells whether another peer was just heard: then its messages arrived all the time, and nothing is
   * missing.
   */
  broken(peer: string, since: number, isAlive: (other: string) => boolean): void {
    if (!this.#sources.has(peer)) return
    for (const other of this.#sources) if (other !== peer && isAlive(other)) return
    this.#lose(since)
  }

  /** The connection to the peer is lost. */
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
