import type { PeerInfo } from '@p2pl/core'
import { isP2plError } from '@p2pl/core'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { IndexTree, Root } from '../index/tree.ts'
import { walk } from '../index/walk.ts'
import { limits } from '../limits.ts'
import type { Beacon } from '../wire/messages.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Check, Intake } from './intake.ts'
import type { SyncNetwork } from './network.ts'
import type { Repair } from './repair.ts'
import type { Timers } from './timers.ts'

interface Candidate {
  readonly root: Bytes
  readonly count: number
  providers: PeerInfo[]
  readonly senders: Set<string>
  attempts: number
  notBefore: number
}

/** How long a view that catches up keeps to itself what it has so far, in beacon periods. */
const catchUpPeriods = 4

/** A leaf whose entries are being checked. */
interface Ahead {
  readonly entries: EntryRecord[]
  readonly bytes: number
  readonly checks: Promise<Check[]>
}

/**
 * Merges the views of others into ours, one root at a time: walks the nodes that differ and takes their entries.
 * Whoever serves a node that contradicts itself is not listened to for a while.
 */
export class Exchange {
  readonly #network: SyncNetwork
  readonly #timers: Timers
  readonly #signal: AbortSignal
  readonly #period: number
  readonly #bounds: EntryBounds
  readonly #intake: Intake
  readonly #tree: IndexTree
  readonly #repair: Repair
  readonly #onLie: (sender: string) => void
  readonly #onMerged: (root: Bytes) => void
  /** A walk is over, however it ended. */
  readonly #onEnd: () => void
  readonly #merged: BoundedMap<true> = new BoundedMap(limits.mergedRoots)
  readonly #candidates: BoundedMap<Candidate> = new BoundedMap(limits.roots)
  readonly #liars: BoundedMap<number> = new BoundedMap(limits.reports)
  /** Roots with entries that we do not take, until when they are left alone. */
  readonly #unusable: BoundedMap<number> = new BoundedMap(limits.mergedRoots)
  readonly #repaired: BoundedMap<Bytes> = new BoundedMap(limits.repairCids)
  #running = false
  /** Entries that the walk under way has taken in so far, and when it began. */
  #taken = 0
  #since = 0
  #wake: (() => void) | undefined

  constructor(options: {
    network: SyncNetwork
    timers: Timers
    signal: AbortSignal
    period: number
    bounds: EntryBounds
    intake: Intake
    tree: IndexTree
    repair: Repair
    onLie: (sender: string) => void
    onMerged: (root: Bytes) => void
    onEnd: () => void
  }) {
    this.#network = options.network
    this.#timers = options.timers
    this.#signal = options.signal
    this.#period = options.period
    this.#bounds = options.bounds
    this.#intake = options.intake
    this.#tree = options.tree
    this.#repair = options.repair
    this.#onLie = options.onLie
    this.#onMerged = options.onMerged
    this.#onEnd = options.onEnd
  }

  /** Whether everything under this root is here. */
  isMerged(root: Bytes): boolean {
    return this.#merged.has(mapKey(root))
  }

  /** A root of our own: whoever reports it later has nothing new. */
  own(root: Root): void {
    const id = mapKey(root.digest)
    this.#merged.set(id, true)
    this.#candidates.delete(id)
  }

  /**
   * Whether many entries are being taken in: this view is far behind and will be another one in a moment. For some periods
   * only, because a walk can be slow.
   */
  get catchingUp(): boolean {
    const since = this.#timers.now() - this.#since
    return this.#running && this.#taken > limits.catchUp && since < catchUpPeriods * this.#period
  }

  isLiar(sender: string): boolean {
    return (this.#liars.get(sender) ?? 0) > this.#timers.now()
  }

  offer(sender: string, { root, count, provider }: Beacon): void {
    const id = mapKey(root)
    if (this.#merged.has(id) || this.isLiar(sender)) return
    if ((this.#unusable.get(id) ?? 0) > this.#timers.now()) return
    const known = this.#candidates.get(id)
    if (known === undefined) {
      this.#candidates.set(id, {
        root,
        count,
        providers: [provider],
        senders: new Set([sender]),
        attempts: 0,
        notBefore: 0
      })
    } else if (known.count === count && known.senders.size < 8) {
      if (!known.senders.has(sender)) known.providers.push(provider)
      known.senders.add(sender)
    }
    this.#start()
  }

  #start(): void {
    if (this.#running || this.#signal.aborted) return
    this.#wake?.()
    this.#wake = undefined
    const now = this.#timers.now()
    let best: Candidate | undefined
    let soonest = Infinity
    for (const candidate of this.#candidates.values()) {
      if (candidate.notBefore > now) soonest = Math.min(soonest, candidate.notBefore)
      else if (best === undefined || candidate.count > best.count) best = candidate
    }
    if (best === undefined) {
      if (soonest < Infinity) {
        this.#wake = this.#timers.after(soonest - now, () => {
          this.#start()
        })
      }
      return
    }
    this.#running = true
    void this.#merge(best).finally(() => {
      this.#running = false
      this.#onEnd()
      this.#start()
    })
  }

  async #merge(candidate: Candidate): Promise<void> {
    const id = mapKey(candidate.root)
    try {
      const whole = await this.#walk(candidate)
      this.#candidates.delete(id)
      if (whole) this.#merged.set(id, true)
      else this.#unusable.set(id, this.#timers.now() + 4 * this.#period)
      this.#onMerged(candidate.root)
    } catch (error) {
      if (this.#signal.aborted) return
      if (error instanceof Malformed) {
        this.#candidates.delete(id)
        for (const sender of candidate.senders) {
          this.#liars.set(sender, this.#timers.now() + 30 * this.#period)
          this.#onLie(sender)
        }
        return
      }
      candidate.attempts++
      // Its holders have moved on or gone; their next beacon brings what counts then.
      if (candidate.attempts >= limits.chaseAttempts || isP2plError(error, 'NOT_RUNNING')) this.#candidates.delete(id)
      else candidate.notBefore = this.#timers.now() + this.#period * 2 ** (candidate.attempts - 1)
    }
  }

  async #walk(candidate: Candidate): Promise<boolean> {
    const abort = new AbortController()
    const signal = AbortSignal.any([this.#signal, abort.signal])
    const origin = { providers: candidate.providers.slice(0, 4), depth: 0 }
    let whole = true
    this.#taken = 0
    this.#since = this.#timers.now()
    try {
      const leaves = walk({
        root: candidate.root,
        count: candidate.count,
        bounds: this.#bounds,
        readAhead: limits.readAhead,
        fetch: async (digest) => await this.#fetch(digest, candidate, signal),
        known: async (level, children) => {
          const keys = children.map(({ key }) => key)
          const own = await this.#tree.nodes(level, keys)
          return children.map(({ digest }, i) => {
            const mine = own[i]
            return mine !== undefined && equalBytes(mine.digest, digest)
          })
        }
      })
      // Some leaves are checked by other cores while the one before them is taken in.
      const ahead: Ahead[] = []
      let checking = 0
      let checkingBytes = 0
      const takeFirst = async (): Promise<void> => {
        const { entries, bytes, checks } = ahead.shift() as Ahead
        const done = await checks
        checking -= entries.length
        checkingBytes -= bytes
        this.#taken += done.filter((check) => check !== 'known').length
        if (done.includes('forged')) throw new Malformed('index with a forged entry')
        if (!(await this.#intake.offerMany(entries, done, origin))) whole = false
      }
      for await (const entries of leaves) {
        const checks = this.#intake.checkMany(entries)
        // Awaited in its turn.
        checks.catch(() => undefined)
        const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0)
        ahead.push({ entries, bytes, checks })
        checking += entries.length
        checkingBytes += bytes
        while (ahead.length > 1 && (checking > limits.checkAhead || checkingBytes > limits.checkAheadBytes))
          await takeFirst()
      }
      while (ahead.length > 0) await takeFirst()
      return whole
    } finally {
      abort.abort()
    }
  }

  async #fetch(digest: Bytes, candidate: Candidate, signal: AbortSignal): Promise<Bytes> {
    const id = mapKey(digest)
    const repaired = this.#repaired.get(id)
    if (repaired !== undefined) return repaired
    try {
      return await this.#network.fetch(digest, {
        providers: candidate.providers.slice(0, 4),
        root: candidate.root,
        deadline: 2 * this.#period,
        signal
      })
    } catch (error) {
      if (!signal.aborted) {
        this.#repair.ask(digest, (bytes) => {
          this.#repaired.set(id, bytes)
          candidate.notBefore = 0
          this.#start()
        })
      }
      throw error
    }
  }
}
