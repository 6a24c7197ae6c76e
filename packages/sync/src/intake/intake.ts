import type { Budget } from '../budget/budget.ts'
import type { Bytes } from '../bytes.ts'
import { maxEntryBytes, decodeEntry } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import type { Committer } from '../replica/committer.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { Check, Checks, DropReason } from './checks.ts'
import { WaitingRoom } from './waiting-room.ts'
import type { Origin } from './waiting-room.ts'

/** What became of an entry. `pending` entries wait for parents, or are left to the caller where they must not wait. */
export type Outcome = 'added' | 'known' | 'pending' | 'refused'

/** What the intake tells the parts around it. */
export interface IntakeHooks {
  readonly dropped: (reason: DropReason, digest?: Bytes) => void
  /** Judges the sender of an entry. */
  readonly gave: (sender: string, bytes: number) => void
  readonly wasted: (sender: string, bytes: number) => void
  /** An entry waits for this parent. */
  readonly missing: (digest: Bytes, id: string, origin: Origin) => void
  /** An entry that others may have waited for is here now. */
  readonly arrived: (id: string) => void
  /** Nobody waits for this parent any more. */
  readonly unwanted: (id: string) => void
  /** Whether a parent was looked for in vain and given up for now. */
  readonly givenUp: (id: string) => boolean
}

export interface IntakeOptions {
  readonly committer: Committer
  readonly checks: Checks
  readonly bounds: EntryBounds
  readonly now: () => number
  /** Bytes of entries being checked at once. */
  readonly checking: Budget
  /** Bytes of entries that wait for parents. */
  readonly pending: Budget
  readonly hooks: IntakeHooks
}

/** Work that a check costs besides the bytes of the entry. */
const checkOverhead = 4096

/**
 * From bytes to solid entries: form, signature, the rule of the application, then the parents. An entry whose parents are not all here
 * waits, within bounds; one that is refused takes down those that wait for it.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #committer: Committer
  readonly #hooks: IntakeHooks
  readonly #largest: number
  readonly #room: WaitingRoom
  readonly #rejected: BoundedMap<string, true> = new BoundedMap(limits.rejected)
  readonly #checking: Map<string, Promise<Outcome>> = new Map()

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#committer = options.committer
    this.#hooks = options.hooks
    this.#largest = maxEntryBytes(options.bounds)
    this.#room = new WaitingRoom(options.pending, (id) => {
      options.hooks.unwanted(id)
    })
  }

  /** When an entry last became solid that no walk has brought. */
  announcedAt: number = -Infinity

  get pending(): number {
    return this.#room.size
  }

  /** Takes the bytes of one entry from a stranger. Never rejects because of what they are. */
  async offer(bytes: Bytes, origin: Origin): Promise<Outcome> {
    const { sender } = origin
    if (bytes.length > this.#largest) return this.#blame(sender, 'oversized', bytes.length)
    let entry: EntryRecord
    try {
      entry = await decodeEntry(bytes, this.#options.bounds)
    } catch {
      return this.#blame(sender, 'garbage', bytes.length)
    }
    const { id } = entry
    if (this.#committer.clockNow(id) !== undefined || this.#room.has(id)) return 'known'
    if (this.#rejected.has(id)) return 'refused'
    const underWay = this.#checking.get(id)
    if (underWay !== undefined) return await underWay
    const giveBack = this.#options.checking.take(sender, bytes.length + checkOverhead)
    if (giveBack === undefined) return this.#refuse('overloaded', entry.digest)
    const outcome = this.#check(entry, origin)
    this.#checking.set(id, outcome)
    try {
      return await outcome
    } finally {
      this.#checking.delete(id)
      giveBack()
    }
  }

  async #check(entry: EntryRecord, origin: Origin): Promise<Outcome> {
    const check = await this.#options.checks.one(entry, origin.sender)
    if (check === 'known') return 'known'
    if (check !== undefined) return this.#reject(entry, check, origin.sender)
    return await this.#settle(entry, origin)
  }

  /**
   * Takes checked entries in canonical order. Those that lack a parent are `pending` and not kept: their parents come before them, or
   * not at all.
   */
  async takeMany(entries: readonly EntryRecord[], checks: readonly Check[], sender: string): Promise<Outcome[]> {
    // Parents within the batch are staged by the time that their children need them.
    const within = new Set(checks.includes('known') ? [] : entries.map(({ id }) => id))
    const parents = new Map<string, Bytes>()
    for (const [i, entry] of entries.entries()) {
      if (checks[i] === 'known') continue
      for (const [at, id] of entry.parentIds.entries()) {
        if (!within.has(id)) parents.set(id, entry.parents[at] as Bytes)
      }
    }
    const list = [...parents].map(([id, digest]) => ({ id, digest }))
    const found = await this.#committer.clocksOf(list)
    const clocks = new Map<string, number | undefined>(list.map(({ id }, i) => [id, found[i]]))
    const outcomes = entries.map((entry, i): Outcome => {
      const check = checks[i]
      if (check === 'known') return 'known'
      if (check !== undefined) return this.#reject(entry, check, sender)
      return this.#settleNow(entry, sender, clocks)
    })
    await this.#committer.room()
    return outcomes
  }

  async #settle(entry: EntryRecord, origin: Origin): Promise<Outcome> {
    const clocks = new Map<string, number | undefined>()
    for (const [i, id] of entry.parentIds.entries()) {
      clocks.set(id, await this.#committer.clockOf(id, entry.parents[i] as Bytes))
    }
    return this.#settleNow(entry, origin.sender, clocks, origin)
  }

  /** Solid, pending or refused, without a wait: what arrives meanwhile must not be overlooked. */
  #settleNow(
    entry: EntryRecord,
    sender: string,
    clocks: ReadonlyMap<string, number | undefined>,
    origin?: Origin
  ): Outcome {
    if (this.#committer.clockNow(entry.id) !== undefined) return 'known'
    let largest = 0
    const missing: [string, Bytes][] = []
    for (const [i, id] of entry.parentIds.entries()) {
      const clock = this.#committer.clockNow(id) ?? clocks.get(id)
      if (clock !== undefined) largest = Math.max(largest, clock)
      else if (this.#rejected.has(id)) return this.#reject(entry, 'invalid', sender)
      else missing.push([id, entry.parents[i] as Bytes])
    }
    // Known parents are enough to see some lies; then nobody needs to look for the others.
    if (entry.clock <= largest || (missing.length === 0 && entry.clock !== largest + 1)) {
      return this.#reject(entry, 'clock', sender)
    }
    if (missing.length > 0) return origin === undefined ? 'pending' : this.#wait(entry, origin, missing)
    this.#room.leave(entry.id)
    if (origin !== undefined) this.announcedAt = this.#options.now()
    this.#hooks.gave(sender, entry.bytes.length)
    // A failed write is the store's matter: the entry then comes again with the next comparison of roots.
    this.#committer.stage(entry, false).catch(() => undefined)
    this.arrived(entry.id)
    return 'added'
  }

  /** An entry is present: those that waited for it alone become solid. */
  arrived(id: string): void {
    this.#hooks.arrived(id)
    for (const { entry, origin } of this.#room.arrived(id)) {
      // The wait for its parents' clocks also keeps a long chain off the stack.
      void this.#settle(entry, origin).catch(() => undefined)
    }
  }

  #wait(entry: EntryRecord, origin: Origin, missing: readonly [string, Bytes][]): Outcome {
    if (this.#room.has(entry.id)) return 'pending'
    if (missing.some(([id]) => this.#hooks.givenUp(id))) return this.#refuse('quarantined', entry.digest)
    const ids = missing.map(([id]) => id)
    if (!this.#room.add(entry, origin, ids)) return this.#refuse('overloaded', entry.digest)
    for (const [id, digest] of missing) {
      if (!this.#room.has(id)) this.#hooks.missing(digest, id, { ...origin, depth: origin.depth + 1 })
    }
    return 'pending'
  }

  /** A parent cannot be had: what waits for it is dropped, to come again by another way. */
  abandon(id: string): void {
    for (const entry of this.#room.dropBelow(id)) this.#hooks.dropped('quarantined', entry.digest)
  }

  #refuse(reason: DropReason, digest?: Bytes): Outcome {
    this.#hooks.dropped(reason, digest)
    return 'refused'
  }

  #blame(sender: string, reason: DropReason, bytes: number, digest?: Bytes): Outcome {
    this.#hooks.wasted(sender, bytes)
    return this.#refuse(reason, digest)
  }

  #reject(entry: EntryRecord, reason: DropReason, sender: string): Outcome {
    this.#room.leave(entry.id)
    this.#rejected.set(entry.id, true)
    this.#blame(sender, reason, entry.bytes.length + checkOverhead, entry.digest)
    for (const child of this.#room.dropBelow(entry.id)) {
      this.#rejected.set(child.id, true)
      this.#hooks.dropped('invalid', child.digest)
    }
    return 'refused'
  }
}
