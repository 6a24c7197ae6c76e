const maxGone = 256

/**
 * The peers by which the messages of one topic come, and whether some may have been missed: every way by which they could
 * have come was cut for a while.
 */
export class Sources {
  readonly #report: () => void
  /** Whether something came from this peer just now, so that it was no less connected than before. */
  readonly #isFresh: (peer: string) => boolean
  /** Connected peers that are in the topic, or have brought a message of it. */
  readonly #peers = new Set<string>()
  readonly #gone = new Set<string>()
  #missing = false

  constructor(report: () => void, isFresh: (peer: string) => boolean) {
    this.#report = report
    this.#isFresh = isFresh
  }

  has(peer: string): boolean {
    return this.#peers.has(peer)
  }

  /** A message of this peer comes, or it is in the topic. */
  joined(peer: string): void {
    this.#peers.add(peer)
    this.#back()
  }

  left(peer: string): void {
    this.#peers.delete(peer)
  }

  /** A peer that brought messages before may bring some again, subscribed or not. */
  returned(peer: string): void {
    if (this.#missing && (this.#peers.has(peer) || this.#gone.has(peer))) this.joined(peer)
  }

  /** The stream from the peer failed, or was replaced before it ended. */
  broken(peer: string): void {
    if (!this.#peers.has(peer)) return
    if (![...this.#peers].some((other) => other !== peer && this.#isFresh(other))) this.#missing = true
  }

  /** The peer is not connected any more. */
  disconnected(peer: string): void {
    if (!this.#peers.delete(peer)) return
    this.#gone.add(peer)
    if (this.#gone.size > maxGone) this.#gone.delete(this.#gone.values().next().value ?? '')
    if (this.#peers.size === 0) this.#missing = true
  }

  #back(): void {
    if (!this.#missing) return
    this.#missing = false
    this.#gone.clear()
    this.#report()
  }
}
