import type { Clock } from '../clock.ts'
import { errorMessage, isP2plError, P2plError } from '../errors.ts'
import type { Backend } from '../port/backend.ts'
import type { PeerInfo } from '../port/common.ts'
import type { BackendEvent } from '../port/events.ts'
import { backoff } from '../toolbox/backoff.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'

export interface KeeperOptions {
  readonly backend: Backend
  readonly clock: Clock
  readonly random: () => number
  /** Milliseconds for one attempt. */
  readonly timeout: number
  readonly onEvent: (event: BackendEvent) => void
}

interface Kept {
  peer: PeerInfo
  attempts: number
  /** Whether the peer comes from the backend's options. No call of the app would then report a failure. */
  readonly bootstrap: boolean
  dialling: AbortController | undefined
  timer: unknown
}

const maxKept = 1_024
const pauses = { first: 500, longest: 30_000, jitter: 0.3 } as const
/** How often a connection is checked, since it may end without an event; in milliseconds. */
const checkEvery = 15_000

/** Keeps the connections that the app asked for, and those to bootstrap peers, for as long as the peer runs. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #kept: BoundedMap<string, Kept> = new BoundedMap(maxKept, (_key, oldest) => {
    this.#end(oldest)
  })
  #stopped = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** Connects in the background, and retries. */
  keepBootstrap(peers: readonly PeerInfo[]): void {
    for (const peer of peers) this.#dialSoon(this.#keep(peer, true), 0)
  }

  /** Makes one attempt for the caller. The connection is kept from now on, unless no attempt could ever succeed. */
  async connect(peer: PeerInfo, signal: AbortSignal, context: unknown): Promise<void> {
    const kept = this.#keep(peer, false)
    try {
      await this.#options.backend.routing?.connect(peer, { signal, context })
      this.#connected(kept)
    } catch (error) {
      if (isP2plError(error, 'INVALID_ARGUMENT') || isP2plError(error, 'UNSUPPORTED')) this.#forget(kept)
      else this.#dialSoon(kept, backoff(pauses, ++kept.attempts))
      throw error
    }
  }

  drop(id: string): void {
    for (const kept of this.#kept.values()) if (kept.peer.id === id) this.#forget(kept)
  }

  onEvent(event: BackendEvent): void {
    if (event.type !== 'peer:disconnect') return
    for (const kept of this.#kept.values()) {
      if (kept.peer.id === event.id && kept.dialling === undefined) this.#dialSoon(kept, backoff(pauses, 1))
    }
  }

  stop(): void {
    this.#stopped = true
    for (const kept of this.#kept.values()) this.#end(kept)
    this.#kept.clear()
  }

  #keep(peer: PeerInfo, bootstrap: boolean): Kept {
    const key = keyOf(peer)
    const known = this.#kept.touch(key)
    if (known !== undefined) {
      known.peer = peer
      return known
    }
    const kept: Kept = { peer, attempts: 0, bootstrap, dialling: undefined, timer: undefined }
    this.#kept.set(key, kept)
    return kept
  }

  #forget(kept: Kept): void {
    this.#end(kept)
    this.#kept.delete(keyOf(kept.peer))
  }

  #end(kept: Kept): void {
    this.#options.clock.clearTimeout(kept.timer)
    kept.dialling?.abort()
  }

  #connected(kept: Kept): void {
    kept.attempts = 0
    this.#dialSoon(kept, checkEvery)
  }

  #dialSoon(kept: Kept, ms: number): void {
    const { clock } = this.#options
    clock.clearTimeout(kept.timer)
    if (this.#stopped || this.#kept.get(keyOf(kept.peer)) !== kept) return
    kept.timer = clock.setTimeout(() => {
      void this.#dial(kept)
    }, ms)
  }

  /** Never rejects. If there is a connection, the backend resolves at once. */
  async #dial(kept: Kept): Promise<void> {
    const { backend, clock, timeout, random } = this.#options
    const { peer } = kept
    const dialling = new AbortController()
    kept.dialling = dialling
    const timer = clock.setTimeout(() => {
      dialling.abort(new P2plError({ code: 'TIMEOUT', operation: 'routing.connect', message: 'nobody answered' }))
    }, timeout)
    try {
      await backend.routing?.connect(peer, { signal: dialling.signal })
      this.#connected(kept)
    } catch (error) {
      kept.attempts++
      if (kept.bootstrap && kept.attempts === 1 && !this.#stopped) this.#warn(peer, error)
      this.#dialSoon(kept, backoff({ ...pauses, random }, kept.attempts))
    } finally {
      clock.clearTimeout(timer)
      kept.dialling = undefined
    }
  }

  #warn({ id, addresses }: PeerInfo, error: unknown): void {
    const { backend, onEvent } = this.#options
    const where = addresses.length === 0 ? id : addresses.join(', ')
    const why = errorMessage(error)
    onEvent({
      type: 'warning',
      backend: backend.name,
      message: `the bootstrap peer ${where} does not answer: ${why}. It is tried again; check the address and that the peer runs`
    })
  }
}

function keyOf({ network, id }: PeerInfo): string {
  return `${network}/${id}`
}
