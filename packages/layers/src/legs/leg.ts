import type { Backend, PeerInfo } from '@p2pl/core/backend'

/** One of the backends that a combinator is made from, and what is known about it. */
export class Leg {
  readonly backend: Backend
  /** The name of its backend. Legs with the same name are numbered. */
  readonly name: string
  /** Whether calls go to it. */
  up = false
  /** Whether `start` has resolved, and no call has thrown `NOT_RUNNING` since. */
  running = false
  /** Whether it has reported that its engine cannot be used, and has not yet recovered. */
  degraded = false
  /** Whether an operator has taken it out of use. Only `resume` brings it back. */
  paused = false
  /** Why it is not in use. */
  reason: string | undefined
  /** The number of starts. Topics joined under an earlier start are gone. */
  starts = 0
  /** Fires when the leg goes out of use: calls under way go to another leg. */
  term: AbortController = new AbortController()
  /** Attempts to get it back since it was last up for a long time. */
  attempts = 0
  upSince = 0
  timer: unknown
  /** An attempt to start or examine it. */
  trying: Promise<void> | undefined
  /** The CID of the last block that it was asked for. The next examination asks for it, too. */
  lastCid: Parameters<NonNullable<Backend['blocks']>['has']>[0] | undefined
  /** The networks of its last run. */
  #networks: readonly string[] | undefined

  constructor(backend: Backend, name: string) {
    this.backend = backend
    this.name = name
  }

  /** The ids and addresses under which others reach it; empty while it does not run. */
  self(): readonly PeerInfo[] {
    try {
      const peers = this.backend.self()
      this.#networks = peers.map(({ network }) => network)
      return peers
    } catch {
      return []
    }
  }

  /** The networks that it is on when it runs. `undefined` if it does not declare them and has never run. */
  networks(): readonly string[] | undefined {
    if (this.backend.networks !== undefined) return this.backend.networks
    this.self()
    return this.#networks
  }
}

export function makeLegs(backends: readonly Backend[]): readonly Leg[] {
  return backends.map((backend, index) => {
    const earlier = backends.slice(0, index).filter(({ name }) => name === backend.name).length
    return new Leg(backend, earlier === 0 ? backend.name : `${backend.name}#${earlier + 1}`)
  })
}
