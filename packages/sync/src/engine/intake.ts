import type { Cryptography, PeerInfo } from '@p2pl/core'
import type { Bytes } from '../bytes.ts'
import type { ViewEvent } from '../api.ts'
import { maxEntryBytes, decodeEntry, signedPart } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Committer } from './committer.ts'
import { Gate } from './gate.ts'

export type DropReason = Extract<ViewEvent, { type: 'dropped' }>['reason']

/** Where an entry came from, for the chase of its parents. */
export interface Origin {
  readonly providers: readonly PeerInfo[]
  /** How many missing parents lie between this entry and one that was announced. */
  readonly depth: number
}

export type Outcome = 'added' | 'known' | 'pending' | 'refused'

/** What is wrong with an entry, `known` when it is here already, and nothing when it is right in itself. */
export type Check = DropReason | 'known' | undefined

/** What the intake wants of those around it. */
export interface IntakeHooks {
  validate(entry: EntryRecord): Promise<boolean>
  dropped(reason: DropReason, digest?: Bytes): void
  /** An entry waits for this parent. */
  missing(digest: Bytes, id: string, origin: Origin): void
  /** An entry that others may have waited for is here now. */
  arrived(id: string): void
  /** Nobody waits for this parent any more. */
  unwanted(id: string): void
  /** Whether a parent was looked for in vain and given up for now. */
  givenUp(id: string): boolean
}

interface Pending {
  readonly entry: EntryRecord
  readonly origin: Origin
  readonly missing: Set<string>
}

/**
 * From bytes to solid entries: form, signature, the application's rule, then the parents. An entry whose parents are not all here
 * waits, within bounds; one that is refused takes down those that wait for it.
 */
export class Intake {
  readonly #committer: Committer
  readonly #cryptography: Cryptography
  readonly #domain: Bytes
  readonly #bounds: EntryBounds
  readonly #hooks: IntakeHooks
  readonly #largest: number
  readonly #pending: Map<string, Pending> = new Map()
  readonly #waiting: Map<string, Set<Pending>> = new Map()
  readonly #rejected: BoundedMap<true> = new BoundedMap(limits.rejected)
  readonly #checking: Map<string, Promise<Outcome>> = new Map()
  readonly #verifying: Gate = new Gate(limits.verifying)
  #checkingBytes = 0
  #pendingBytes = 0

  constructor(
    committer: Committer,
    cryptography: Cryptography,
    domain: Bytes,
    bounds: EntryBounds,
    hooks: IntakeHooks
  ) {
    this.#committer = committer
    this.#cryptography = cryptography
    this.#domain = domain
    this.#bounds = bounds
    this.#hooks = hooks
    this.#largest = maxEntryBytes(bounds)
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Takes the bytes of one entry from a stranger. Never rejects because of what they are. */
  async offer(bytes: Bytes, origin: Origin): Promise<Outcome> {
    if (bytes.length > this.#largest) return this.#refuse('oversized')
    let entry: EntryRecord
    try {
      entry = await decodeEntry(bytes, this.#bounds)
    } catch {
      return this.#refuse('garbage')
    }
    const { id } = entry
    if (this.#committer.clockNow(id) !== undefined || this.#pending.has(id)) return 'known'
    if (this.#rejected.has(id)) return 'refused'
    const underWay = this.#checking.get(id)
    if (underWay !== undefined) return await underWay
    const full = this.#checking.size >= limits.checking || this.#checkingBytes > limits.checkingBytes
    if (full) return this.#refuse('overloaded', entry.digest)
    const outcome = this.#check(entry, origin)
    this.#checking.set(id, outcome)
    this.#checkingBytes += bytes.length
    try {
      return await outcome
    } finally {
      this.#checking.delete(id)
      this.#checkingBytes -= bytes.length
    }
  }

  async #check(entry: EntryRecord, origin: Origin): Promise<Outcome> {
    const [known] = await this.#committer.present([entry])
    if (known === true) return 'known'
    const reason = await this.#fault(entry)
    if (reason !== undefined) return this.#reject(entry.id, entry.digest, reason)
    return await this.#settle(entry, origin)
  }

  /** Takes checked entries in canonical order; true when all of them are solid now. */
  async offerMany(entries: readonly EntryRecord[], checks: readonly Check[], origin: Origin): Promise<boolean> {
    const outcomes = await this.#takeMany(entries, checks, origin)
    return outcomes.every((outcome) => outcome === 'added' || outcome === 'known')
  }

  /** The same for entries that must not wait here: those that lack a parent are `pending` and not kept. */
  async tryMany(entries: readonly EntryRecord[]): Promise<Outcome[]> {
    return await this.#takeMany(entries, await this.checkMany(entries), undefined)
  }

  async #takeMany(
    entries: readonly EntryRecord[],
    checks: readonly Check[],
    origin: Origin | undefined
  ): Promise<Outcome[]> {
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
      if (check !== undefined) return this.#reject(entry.id, entry.digest, check)
      return this.#settleNow(entry, origin, clocks)
    })
    await this.#committer.room()
    return outcomes
  }

  /** Checks all signatures side by side, those of entries that are here already left out. */
  async checkMany(entries: readonly EntryRecord[]): Promise<Check[]> {
    const present = await this.#committer.present(entries)
    return await Promise.all(
      entries.map(async (entry, i) => (present[i] === true ? 'known' : await this.#fault(entry)))
    )
  }

  async #fault(entry: EntryRecord): Promise<DropReason | undefined> {
    const { maxParents, maxPayloadBytes } = this.#bounds
    if (entry.parents.length > maxParents || entry.payload.length > maxPayloadBytes) return 'oversized'
    try {
      const right = await this.#verifying.run(
        async () =>
          await this.#cryptography.verify(entry.author, signedPart(this.#domain, entry.bytes), entry.signature)
      )
      if (!right) return 'forged'
    } catch {
      // Keys that are no points on the curve make some runtimes throw.
      return 'forged'
    }
    return (await this.#hooks.validate(entry)) ? undefined : 'invalid'
  }

  async #settle(entry: EntryRecord, origin: Origin): Promise<Outcome> {
    const clocks = new Map<string, number | undefined>()
    for (const [i, id] of entry.parentIds.entries()) {
      clocks.set(id, await this.#committer.clockOf(id, entry.parents[i] as Bytes))
    }
    return this.#settleNow(entry, origin, clocks)
  }

  /** Solid, pending or refused, without a wait: what arrives meanwhile must not be overlooked. */
  #settleNow(entry: EntryRecord, origin: Origin | undefined, clocks: ReadonlyMap<string, number | undefined>): Outcome {
    if (this.#committer.clockNow(entry.id) !== undefined) return 'known'
    let largest = 0
    const missing: [string, Bytes][] = []
    for (const [i, id] of entry.parentIds.entries()) {
      const clock = this.#committer.clockNow(id) ?? clocks.get(id)
      if (clock !== undefined) largest = Math.max(largest, clock)
      else if (this.#rejected.has(id)) return this.#reject(entry.id, entry.digest, 'invalid')
      else missing.push([id, entry.parents[i] as Bytes])
    }
    // Known parents are enough to see some lies; then nobody needs to look for the others.
    if (entry.clock <= largest || (missing.length === 0 && entry.clock !== largest + 1)) {
      return this.#reject(entry.id, entry.digest, 'clock')
    }
    if (missing.length > 0) return origin === undefined ? 'pending' : this.#wait(entry, origin, missing)
    this.#unwait(entry.id)
    this.#stage(entry)
    return 'added'
  }

  #stage(entry: EntryRecord): void {
    // A failed write is the store's matter: the entry then comes again with the next comparison of roots.
    this.#committer.stage(entry, false).catch(() => undefined)
    this.arrived(entry.id)
  }

  /** An entry is present: those that waited for it alone become solid. */
  arrived(id: string): void {
    this.#hooks.arrived(id)
    const children = this.#waiting.get(id)
    if (children === undefined) return
    this.#waiting.delete(id)
    for (const child of children) {
      child.missing.delete(id)
      if (child.missing.size > 0 || this.#pending.get(child.entry.id) !== child) continue
      this.#forget(child)
      // The wait for its parents' clocks also keeps a long chain off the stack.
      void this.#settle(child.entry, child.origin).catch(() => undefined)
    }
  }

  #wait(entry: EntryRecord, origin: Origin, missing: readonly [string, Bytes][]): Outcome {
    if (this.#pending.has(entry.id)) return 'pending'
    if (missing.some(([id]) => this.#hooks.givenUp(id))) return this.#refuse('quarantined', entry.digest)
    const bytes = entry.bytes.length
    if (this.#pending.size >= limits.pending || this.#pendingBytes + bytes > limits.pendingBytes) {
      return this.#refuse('overloaded', entry.digest)
    }
    const pending: Pending = { entry, origin, missing: new Set(missing.map(([id]) => id)) }
    this.#pending.set(entry.id, pending)
    this.#pendingBytes += bytes
    for (const [id, digest] of missing) {
      const children = this.#waiting.get(id)
      if (children === undefined) this.#waiting.set(id, new Set([pending]))
      else children.add(pending)
      if (!this.#pending.has(id)) this.#hooks.missing(digest, id, { ...origin, depth: origin.depth + 1 })
    }
    return 'pending'
  }

  #unwait(id: string): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined) this.#forget(pending)
  }

  #forget(pending: Pending): void {
    if (!this.#pending.delete(pending.entry.id)) return
    this.#pendingBytes -= pending.entry.bytes.length
    for (const id of pending.missing) {
      const children = this.#waiting.get(id)
      children?.delete(pending)
      if (children?.size === 0) {
        this.#waiting.delete(id)
        this.#hooks.unwanted(id)
      }
    }
  }

  /** A parent cannot be had: what waits for it is dropped, to come again by another way. */
  abandon(id: string): void {
    this.#dropChildren(id, 'quarantined')
  }

  #refuse(reason: DropReason, digest?: Bytes): Outcome {
    this.#hooks.dropped(reason, digest)
    return 'refused'
  }

  #reject(id: string, digest: Bytes, reason: DropReason): Outcome {
    this.#unwait(id)
    this.#rejected.set(id, true)
    this.#hooks.dropped(reason, digest)
    this.#dropChildren(id, 'invalid')
    return 'refused'
  }

  #dropChildren(first: string, reason: 'invalid' | 'quarantined'): void {
    const parents = [first]
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      this.#hooks.unwanted(parent)
      const children = this.#waiting.get(parent)
      if (children === undefined) continue
      this.#waiting.delete(parent)
      for (const child of children) {
        if (this.#pending.get(child.entry.id) !== child) continue
        this.#forget(child)
        if (reason === 'invalid') this.#rejected.set(child.entry.id, true)
        this.#hooks.dropped(reason, child.entry.digest)
        parents.push(child.entry.id)
      }
    }
  }
}
