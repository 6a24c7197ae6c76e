import type { Peer, WillingPeer } from '@p2pl/core'

/** How long answers are collected, in milliseconds. */
const within = 3_000

interface Seen extends WillingPeer {
  readonly at: number
}

/** Peers that keep content for this one, and when they were last heard from. */
export class Roster {
  readonly #peer: Peer
  readonly #now: () => number
  /** The time of the last look, on the monotonic clock. */
  lookedAt: number = -Infinity
  #seen: ReadonlyMap<string, Seen> = new Map()

  constructor(peer: Peer, now: () => number) {
    this.#peer = peer
    this.#now = now
  }

  /** Asks which peers are there. A peer that does not answer this time is not a candidate, but it may still have copies. */
  async look(signal: AbortSignal): Promise<void> {
    const willing = await this.#peer.data.willing({ within, signal })
    const at = this.#now()
    this.lookedAt = at
    this.#seen = new Map(willing.map((each) => [each.peer, { ...each, at }]))
  }

  /** When the peer last answered, if it answered the last question. */
  heard(peer: string): number | undefined {
    return this.#seen.get(peer)?.at
  }

  /** Peers that would take that many bytes. */
  candidates(bytes: number): string[] {
    return [...this.#seen.values()].filter(({ free }) => free > 0 && free >= bytes).map(({ peer }) => peer)
  }

  get peers(): string[] {
    return [...this.#seen.keys()]
  }
}
