import type { Backend, PeerInfo } from '@p2pl/core/backend'

/** One of the backends that a combinator is made of, and what is known of it. */
export class Leg {
  readonly backend: Backend
  /** The name of its backend; legs of one name are numbered. */
  readonly name: string
  /** Calls go to it. */
  up = false
  /** `start` has resolved, and no call has said `NOT_RUNNING` since. */
  running = false
  /** It has reported that its engine cannot be used, and not yet that it can. */
  degraded = false
  /** Somebody has taken it out of use, and nothing but `resume` brings it back. */
  paused = false
  /** Why it is not in use. */
  reason: string | undefined
  /** The number of starts. What was joined under an earlier one is gone. */
  starts = 0
  /** Fires when the leg is left: calls under way go elsewhere. */
  term: AbortController = new AbortController()
  /** Attempts to get it back, since it was last up for long. */
  attempts = 0
  upSince = 0
  timer: unknown
  /** An attempt to start or examine it. */
  trying: Promise<void> | undefined
  /** The last block that it was asked for: the next examination asks for it, too. */
  lastCid: Parameters<NonNullable<Backend['blocks']>['has']>[0] | undefined
  /** As of its last run. */
  #networks: readonly string[] | undefined

  constructor(backend: Backend, name: string) {
    this.backend = backend
    this.name = name
  }

  /** What others reach it by; empty while it does not run. */
  self(): readonly PeerInfo[] {
    try {
      const peers = this.backend.self()
      this.#networks = peers.map(({ network }) => network)
      return peers
    } catch {
      return []
    }
  }

  /** The networks that it is on when it runs; `undefined` where it does not say, and has never run. */
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
