import type { Peer, WillingPeer } from '@p2pl/core'

/** Milliseconds in which answers are collected. */
const within = 3_000

interface Seen extends WillingPeer {
  readonly at: number
}

/** Peers that keep content for this one, and when they were last heard. */
export class Roster {
  readonly #peer: Peer
  readonly #now: () => number
  /** When the last look ended, on the monotonic clock. */
  lookedAt: number = -Infinity
  #seen: ReadonlyMap<string, Seen> = new Map()

  constructor(peer: Peer, now: () => number) {
    this.#peer = peer
    this.#now = now
  }

  /** Asks who is there. Those that do not answer this time are no candidates, but they may still have copies. */
  async look(signal: AbortSignal): Promise<void> {
    const willing = await this.#peer.data.willing({ within, signal })
    const at = this.#now()
    this.lookedAt = at
    this.#seen = new Map(willing.map((each) => [each.peer, { ...each, at }]))
  }

  /** When the peer answered last, if it answered the last time. */
  heard(peer: string): number | undefined {
    return this.#seen.get(peer)?.at
  }

  /** Peers that would take so many bytes. */
  candidates(bytes: number): string[] {
    return [...this.#seen.values()].filter(({ free }) => free > 0 && free >= bytes).map(({ peer }) => peer)
  }

  get peers(): string[] {
    return [...this.#seen.keys()]
  }
}
