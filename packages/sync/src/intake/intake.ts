import { BoundedMap, type Breather, type Budget } from '@p2pl/core/backend'
import { compareBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { maxEntryBytes, decodeEntry } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { authorId } from '../entry/public.ts'
import { limits } from '../limits.ts'
import type { Committer } from '../replica/committer.ts'
import { admit, isOpen } from './admission.ts'
import type { Candidate, Look, Verdict } from './admission.ts'
import type { Checks, DropReason } from './checks.ts'
import { WaitingRoom } from './waiting-room.ts'
import type { Origin } from './waiting-room.ts'

/**
 * The outcome for an entry. `pending` and `unproven` are temporary: later entries may bring the missing parents or a
 * signature that proves it.
 */
export type Outcome = 'added' | 'known' | 'pending' | 'unproven' | 'refused'

/** What the intake tells the other parts. */
export interface IntakeHooks {
  readonly dropped: (reason: DropReason, digest?: Bytes) => void
  /** Credits the sender of an entry. */
  readonly gave: (sender: string, bytes: number) => void
  readonly wasted: (sender: string, bytes: number) => void
  /** An entry waits for this parent. */
  readonly missing: (digest: Bytes, id: string, origin: Origin) => void
  /** An entry has arrived that others may have waited for. */
  readonly arrived: (id: string) => void
  /** No entry waits for this parent any more. */
  readonly unwanted: (id: string) => void
  /** Whether the search for a parent failed and was given up for now. */
  readonly givenUp: (id: string) => boolean
}

export interface IntakeOptions {
  readonly committer: Committer
  readonly checks: Checks
  readonly bounds: EntryBounds
  readonly breather: Breather
  readonly now: () => number
  /** Bytes of entries that are being checked. */
  readonly checking: Budget
  /** Bytes of entries that wait for parents. */
  readonly pending: Budget
  readonly hooks: IntakeHooks
}

/** The cost of a check in addition to the bytes of the entry. */
const checkOverhead = 4096

/**
 * Turns bytes into solid entries: it checks the form, the signature, the application's rule, then the parents. An entry
 * with missing parents waits, within bounds. A refused entry takes the entries that wait for it down with it.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #committer: Committer
  readonly #hooks: IntakeHooks
  readonly #largest: number
  readonly #room: WaitingRoom
  readonly #rejected: BoundedMap<string, true> = new BoundedMap(limits.rejected)
  /** Entries that have a wrong signature and came without another one that proves them. */
  readonly #forged: BoundedMap<string, true> = new BoundedMap(limits.rejected)
  readonly #checking: Map<string, Promise<void>> = new Map()

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#committer = options.committer
    this.#hooks = options.hooks
    this.#largest = maxEntryBytes(options.bounds)
    this.#room = new WaitingRoom(options.pending, (id) => {
      options.hooks.unwanted(id)
    })
  }

  /** When an entry last became solid that was not brought by a walk. */
  announcedAt: number = -Infinity

  get pending(): number {
    return this.#room.size
  }

  /** Takes the bytes of one entry from a stranger. Never rejects because of their content. */
  async offer(bytes: Bytes, origin: Origin): Promise<Outcome> {
    const [outcome = 'refused'] = await this.offerMany([bytes], origin)
    return outcome
  }

  /** Takes the bytes of entries that came together. Returns the outcomes for those that it looked at. */
  async offerMany(all: readonly Bytes[], origin: Origin): Promise<Outcome[]> {
    const batch: EntryRecord[] = []
    const returns: (() => void)[] = []
    const outcomes: Outcome[] = []
    const { promise: checked, resolve } = Promise.withResolvers<void>()
    const underWay = new Set<Promise<void>>()
    try {
      for (const bytes of all) {
        await this.#options.breather.before(bytes.length)
        const entry = await this.#decode(bytes, origin.sender)
        const other = entry === undefined ? undefined : this.#checking.get(entry.id)
        if (entry === undefined) outcomes.push('refused')
        else if (this.#committer.clockNow(entry.id) !== undefined || this.#room.has(entry.id)) outcomes.push('known')
        else if (this.#rejected.has(entry.id) || this.#forged.has(entry.id)) outcomes.push('refused')
        else if (other !== undefined) {
          if (other !== checked) underWay.add(other)
        } else {
          const giveBack = this.#options.checking.take(origin.sender, bytes.length + checkOverhead)
          if (giveBack === undefined) outcomes.push(this.#refuse('overloaded', entry.digest))
          else {
            returns.push(giveBack)
            batch.push(entry)
            this.#checking.set(entry.id, checked)
          }
        }
      }
      outcomes.push(...(await this.#check(batch, origin)))
    } finally {
      for (const { id } of batch) this.#checking.delete(id)
      for (const giveBack of returns) giveBack()
      resolve()
    }
    await Promise.all(underWay)
    return outcomes
  }

  async #decode(bytes: Bytes, sender: string): Promise<EntryRecord | undefined> {
    if (bytes.length > this.#largest) {
      this.#blame(sender, 'oversized', bytes.length)
      return undefined
    }
    try {
      return await decodeEntry(bytes, this.#options.bounds)
    } catch {
      this.#blame(sender, 'garbage', bytes.length)
      return undefined
    }
  }

  async #check(batch: EntryRecord[], origin: Origin): Promise<Outcome[]> {
    if (batch.length === 0) return []
    batch.sort((a, b) => compareBytes(a.key, b.key))
    return await this.take(await this.#options.checks.many(batch, origin.sender), origin.sender, origin)
  }

  /**
   * Takes checked entries in canonical order. All acceptable entries go to the store in one write, so the store never
   * has an entry without the one that proves it. With an origin, entries that lack a parent wait for it, and entries
   * that nothing proves are refused. Without an origin, the caller handles both.
   */
  async take(candidates: readonly Candidate[], sender: string, origin?: Origin): Promise<Outcome[]> {
    const clocks = await this.#clocksOfParents(candidates)
    const look = (id: string): ReturnType<Look> =>
      this.#committer.clockNow(id) ?? clocks.get(id) ?? (this.#rejected.has(id) ? 'rejected' : undefined)
    let verdicts = this.#verdicts(candidates, look)
    // No other signature proves these, so their own must.
    const unchecked = candidates.filter(({ right }, i) => right === undefined && isOpen(verdicts[i] as Verdict))
    if (unchecked.length > 0) {
      await this.#options.checks.signatures(
        candidates.filter(({ check }) => check === undefined),
        sender
      )
      verdicts = this.#verdicts(candidates, look)
    }
    // No `await` from here on, so that nothing that arrives meanwhile is overlooked.
    const accepted = candidates.filter((_, i) => verdicts[i] === 'accepted').map(({ entry }) => entry)
    this.#stage(accepted, sender, origin)
    const outcomes = candidates.map(({ entry }, i): Outcome => {
      const verdict = verdicts[i] as Verdict
      if (verdict === 'known') return verdict
      if (verdict === 'accepted') return 'added'
      if (!isOpen(verdict)) return this.#reject(entry, verdict, sender)
      if (origin === undefined) return verdict === 'lacking' ? 'pending' : 'unproven'
      return candidates[i]?.right === true ? this.#wait(entry, origin, look) : this.#disprove(entry, sender)
    })
    for (const { id } of accepted) this.arrived(id)
    return outcomes
  }

  #verdicts(candidates: readonly Candidate[], look: Look): Verdict[] {
    for (const candidate of candidates) {
      if (this.#committer.clockNow(candidate.entry.id) !== undefined) candidate.check = 'known'
    }
    return admit(candidates, look)
  }

  /** The clocks of parents that are in the view and are not candidates. */
  async #clocksOfParents(candidates: readonly Candidate[]): Promise<Map<string, number>> {
    const within = new Set<string>()
    const wanted = new Map<string, Bytes>()
    for (const { entry, check } of candidates) {
      if (check !== undefined) continue
      within.add(entry.id)
      entry.parentIds.forEach((id, at) => {
        if (!within.has(id)) wanted.set(id, entry.parent(at))
      })
    }
    const list = Array.from(wanted, ([id, digest]) => ({ id, digest }))
    const clocks = new Map<string, number>()
    for (const [i, clock] of (await this.#committer.clocksOf(list)).entries()) {
      if (clock !== undefined) clocks.set((list[i] as { id: string }).id, clock)
    }
    return clocks
  }

  #stage(accepted: readonly EntryRecord[], sender: string, origin: Origin | undefined): void {
    if (accepted.length === 0) return
    if (origin !== undefined) this.announcedAt = this.#options.now()
    const batch = accepted.map((entry) => {
      this.#room.leave(entry.id)
      this.#hooks.gave(sender, entry.bytes.length)
      return { entry, local: false, live: origin?.depth === 0 && origin.sender === authorId(entry.author) }
    })
    // The store handles a failed write. The entries then come again with the next comparison of roots.
    this.#committer.stage(batch).catch(() => undefined)
  }

  /** An entry has arrived: entries that waited only for it become solid. */
  arrived(id: string): void {
    this.#hooks.arrived(id)
    for (const { entry, origin } of this.#room.arrived(id)) {
      const candidate = { entry, check: undefined, right: true }
      // Awaiting the clocks of its parents also keeps a long chain off the stack.
      void this.take([candidate], origin.sender, origin).catch(() => undefined)
    }
  }

  /** The entry's own signature is right, so it needs no other one. Its parents are looked for. */
  #wait(entry: EntryRecord, origin: Origin, look: Look): Outcome {
    if (this.#room.has(entry.id)) return 'pending'
    const missing: [string, Bytes][] = []
    for (const [i, id] of entry.parentIds.entries()) {
      if (look(id) === undefined) missing.push([id, entry.parent(i)])
    }
    if (missing.some(([id]) => this.#hooks.givenUp(id) || this.#forged.has(id))) {
      return this.#refuse('quarantined', entry.digest)
    }
    const ids = missing.map(([id]) => id)
    if (!this.#room.add(entry, origin, ids)) return this.#refuse('overloaded', entry.digest)
    for (const [id, digest] of missing) {
      if (!this.#room.has(id)) this.#hooks.missing(digest, id, { ...origin, depth: origin.depth + 1 })
    }
    return 'pending'
  }

  /**
   * Nothing proves the entry so far. A successor may prove it later, and then comparing roots brings both. So neither
   * the entry nor what builds on it is remembered as rejected.
   */
  #disprove(entry: EntryRecord, sender: string): Outcome {
    this.#forged.set(entry.id, true)
    this.abandon(entry.id)
    return this.#blame(sender, 'forged', entry.bytes.length + checkOverhead, entry.digest)
  }

  /** A parent cannot be found. The entries that wait for it are dropped, and may come again another way. */
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
