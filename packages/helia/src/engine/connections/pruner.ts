import type { Connection, Libp2p } from '@libp2p/interface'

/** A new connection has this long (ms) to show that it is useful. */
const grace = 10_000
/** Newcomers hold at most one place in this many. */
const newcomerShare = 4
/** Further connections of the same peer have no worth. */
const maxPerPeer = 2

/** How useful a connected peer is; more is better. */
export const Worth = { none: 0, busy: 1, topic: 2, mesh: 3, named: 4 } as const
export type Worth = (typeof Worth)[keyof typeof Worth]

export interface PrunerOptions {
  /** The most connections. */
  readonly high: number
  worth(connection: Connection): Worth
  /** When something last came from the peer (`performance.now()`). */
  heardAt(id: string): number
}

interface Candidate {
  readonly connection: Connection
  readonly worth: Worth
  readonly age: number
  readonly silence: number
}

/**
 * Closes the least useful connections when there are too many. The engine itself would refuse newcomers instead, so
 * idle strangers could keep all others out. Connections of peers that the user named are never closed.
 */
export class Pruner {
  readonly #libp2p: Libp2p
  readonly #options: PrunerOptions
  readonly #openedAt = new WeakMap<Connection, number>()

  constructor(libp2p: Libp2p, options: PrunerOptions) {
    this.#libp2p = libp2p
    this.#options = options
    libp2p.addEventListener('connection:open', ({ detail }) => {
      this.#openedAt.set(detail, performance.now())
      this.#prune()
    })
  }

  #prune(): void {
    const open = this.#libp2p.getConnections().filter(({ status }) => status === 'open')
    const excess = open.length - this.#options.high
    if (excess <= 0) return
    for (const { connection, worth } of this.#ranked(open).slice(0, excess)) {
      // An orderly close takes up to a second, in which many more may come.
      if (worth === Worth.none) connection.abort(new Error('others need the place'))
      else void connection.close().catch(() => {})
    }
  }

  /** Connections that may be closed, the least useful first; among equals, the one that has been silent for longest. */
  #ranked(connections: readonly Connection[]): Candidate[] {
    const surplus = [...Map.groupBy(connections, ({ remotePeer }) => remotePeer.toString()).values()].flatMap(
      (ofPeer) => ofPeer.slice(0, -maxPerPeer)
    )
    const candidates = connections
      .map((one) => this.#candidate(one, surplus.includes(one)))
      .filter(({ worth }) => worth < Worth.named)
    const newcomers = candidates
      .filter(({ worth, age }) => worth === Worth.none && age < grace)
      .toSorted((a, b) => b.age - a.age)
    const others = candidates
      .filter((one) => !newcomers.includes(one))
      .toSorted((a, b) => a.worth - b.worth || b.silence - a.silence)
    const idle = others.filter(({ worth }) => worth === Worth.none)
    const tooMany = newcomers.slice(0, Math.max(0, newcomers.length - Math.ceil(this.#options.high / newcomerShare)))
    return [...idle, ...tooMany, ...others.slice(idle.length)]
  }

  #candidate(connection: Connection, surplus: boolean): Candidate {
    if (surplus) return { connection, worth: Worth.none, age: Infinity, silence: Infinity }
    const now = performance.now()
    const id = connection.remotePeer.toString()
    const age = now - (this.#openedAt.get(connection) ?? -Infinity)
    return {
      connection,
      age,
      silence: Math.min(age, now - this.#options.heardAt(id)),
      worth: this.#options.worth(connection)
    }
  }
}
