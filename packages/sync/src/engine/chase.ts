import type { PeerInfo } from '@p2pl/core'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Intake, Origin } from './intake.ts'
import type { SyncNetwork } from './network.ts'
import type { Repair } from './repair.ts'
import type { Timers } from './timers.ts'

interface Missing {
  readonly digest: Bytes
  readonly id: string
  readonly since: number
  readonly depth: number
  providers: readonly PeerInfo[]
  attempts: number
  cancel: () => void
}

/**
 * Looks for missing parents by CID: at the announcer first, a few at a time, again with longer and longer pauses, and by a broadcast
 * once a fetch has failed. What fails for good is given up for a while, so that inventions cost an attacker more than us.
 */
export class Chase {
  readonly #network: SyncNetwork
  readonly #repair: Repair
  readonly #timers: Timers
  readonly #signal: AbortSignal
  readonly #random: () => number
  readonly #period: number
  readonly #intake: () => Intake
  /** Something is missing that is quicker found by comparing roots. */
  readonly #onDeep: () => void
  readonly #missing: Map<string, Missing> = new Map()
  readonly #ready: Missing[] = []
  readonly #givenUp: BoundedMap<number> = new BoundedMap(limits.quarantined)
  #fetching = 0

  constructor(options: {
    network: SyncNetwork
    repair: Repair
    timers: Timers
    signal: AbortSignal
    random: () => number
    period: number
    intake: () => Intake
    onDeep: () => void
  }) {
    this.#network = options.network
    this.#repair = options.repair
    this.#timers = options.timers
    this.#signal = options.signal
    this.#random = options.random
    this.#period = options.period
    this.#intake = options.intake
    this.#onDeep = options.onDeep
  }

  get missing(): number {
    return this.#missing.size
  }

  get quarantined(): number {
    return this.#givenUp.size
  }

  oldest(): number | undefined {
    // Insertion order is order of time.
    for (const { since } of this.#missing.values()) return this.#timers.now() - since
    return undefined
  }

  add(digest: Bytes, id: string, origin: Origin): void {
    const known = this.#missing.get(id)
    if (known !== undefined) {
      if (known.providers.length < 4) known.providers = [...known.providers, ...origin.providers].slice(0, 4)
      return
    }
    if (origin.depth > limits.chaseDepth || this.#missing.size >= limits.missing) {
      this.#onDeep()
      return
    }
    const { providers, depth } = origin
    const missing: Missing = {
      digest,
      id,
      since: this.#timers.now(),
      depth,
      providers,
      attempts: 0,
      cancel: () => {}
    }
    this.#missing.set(id, missing)
    // Most parents are on their way in another message.
    missing.cancel = this.#timers.after(depth > 1 ? 0 : Math.min(100, this.#period / 10), () => {
      this.#ready.push(missing)
      this.#next()
    })
  }

  arrived(id: string): void {
    this.#givenUp.delete(id)
    this.unwanted(id)
  }

  unwanted(id: string): void {
    const missing = this.#missing.get(id)
    if (missing === undefined) return
    missing.cancel()
    this.#missing.delete(id)
  }

  isGivenUp(id: string): boolean {
    const until = this.#givenUp.get(id)
    if (until === undefined) return false
    if (until > this.#timers.now()) return true
    this.#givenUp.delete(id)
    return false
  }

  #next(): void {
    while (this.#fetching < limits.chaseParallel && !this.#signal.aborted) {
      const missing = this.#ready.shift()
      if (missing === undefined) return
      if (this.#missing.get(missing.id) !== missing) continue
      this.#fetching++
      void this.#fetch(missing).finally(() => {
        this.#fetching--
        this.#next()
      })
    }
  }

  async #fetch(missing: Missing): Promise<void> {
    const { digest, id, providers, depth } = missing
    try {
      const bytes = await this.#network.fetch(digest, { providers, deadline: this.#period, signal: this.#signal })
      await this.#intake().offer(bytes.slice(), { providers, depth })
      if (this.#missing.get(id) !== missing) return
    } catch {
      if (this.#signal.aborted || this.#missing.get(id) !== missing) return
    }
    missing.attempts++
    if (missing.attempts >= limits.chaseAttempts) {
      this.#missing.delete(id)
      this.#givenUp.set(id, this.#timers.now() + 100 * this.#period)
      this.#intake().abandon(id)
      return
    }
    this.#onDeep()
    this.#repair.ask(digest, (bytes) => {
      if (this.#missing.get(id) !== missing) return
      // Rejects only when the store was closed meanwhile.
      this.#intake()
        .offer(bytes, { providers, depth })
        .catch(() => undefined)
    })
    const pause = this.#period * 2 ** (missing.attempts - 1) * (0.5 + this.#random())
    missing.cancel = this.#timers.after(pause, () => {
      this.#ready.push(missing)
      this.#next()
    })
  }
}
