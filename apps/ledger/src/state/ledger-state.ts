import { systemClock } from '@p2pl/core'
import { Slots } from '@p2pl/core/backend'
import type { Database } from '@p2pl/store'
import type { View } from '@p2pl/sync'
import type { CID } from 'multiformats/cid'
import type { Genesis } from '../rules/genesis.ts'
import type { Standing } from '../rules/outcome.ts'
import { type Payload, readPayload } from '../rules/payload.ts'
import { type Balances, balancesCid, type Counts } from '../rules/tally.ts'
import { Accounts } from './accounts.ts'
import { Approvals } from './approvals.ts'
import { emptied, openDatabase } from './database.ts'
import { type Claim, Documents } from './documents.ts'
import { type EntriesQuery, EntryReader, type LedgerEntry, type RawEntry } from './entry-reader.ts'
import { type Key, keyOf, textOf } from './keys.ts'
import { ParentKeys } from './parent-keys.ts'
import { type Progress, startOf } from './progress.ts'
import type { Judgement } from './rows.ts'
import { Tables } from './tables.ts'

/** The source of the entries. */
export type Entries = Pick<View, 'get' | 'entries' | 'written' | 'store'>

/** Results of the same entries, each of which has taken effect. */
export interface Summary extends Counts {
  readonly balances: CID
}

/** Changes of entries that were here before. */
export interface Changes {
  readonly overturned: readonly Key[]
  readonly confirmed: readonly Key[]
}

export interface StateOptions {
  /** A folder, or a database that nobody else uses. */
  readonly location: string | Database
  readonly genesis: Genesis
  readonly entries: Entries
}

/** Steps between two writes. */
const stepsTogether = 2_048
/**
 * Changes are written together: when there are this many rows, or after this many milliseconds. Changes that were not
 * written are derived from the entries again.
 */
const together = { rows: 512, ms: 250 } as const
/** How many rows may wait in memory when the disk accepts no more. */
const mostWaiting = 65_536

/**
 * The data derived from the entries: accounts, outcomes, confirmations, references, documents. It is stored on disk and
 * brought up to date step by step, in the order in which the entries were written; recently used data is in memory. The
 * result is the same for every order in which parents come before children.
 */
export class LedgerState {
  readonly #options: StateOptions
  readonly #tables: Tables
  readonly #lock = new Slots(1)
  readonly #keys: ParentKeys
  #progress!: Progress
  #accounts!: Accounts
  #approvals!: Approvals
  #documents!: Documents
  #reader!: EntryReader
  readonly #overturned = new Set<Key>()
  readonly #confirmed = new Set<Key>()
  #balances: CID | undefined
  #flushing: unknown
  /** Whether {@link changes} will be called. */
  observed = false

  /** Opens the stored state, or starts again if it does not belong to these entries. */
  static async open(options: StateOptions): Promise<LedgerState> {
    const store = await openDatabase(options.location)
    try {
      const tables = new Tables(store)
      if (await belongs(options.entries, await tables.progress()))
        return await new LedgerState(options, tables).#resume()
    } catch (error) {
      await store.close()
      throw error
    }
    return await new LedgerState(options, new Tables(await emptied(store, options.location))).#resume()
  }

  private constructor(options: StateOptions, tables: Tables) {
    this.#options = options
    this.#tables = tables
    this.#keys = new ParentKeys(options.entries)
  }

  async close(): Promise<void> {
    await this.#lock.run(async () => {
      await this.#flush()
      await this.#tables.store.close()
    })
  }

  /** The place of the last entry that was taken, in the order of writing. */
  get place(): number {
    return this.#progress.place
  }

  get settled(): boolean {
    return this.#accounts.marks.size === 0 && this.#approvals.open.size === 0
  }

  /**
   * Takes the next entries in the order of writing. Returns the documents to copy. Some outcomes may stay open until
   * {@link settle}.
   */
  async add(entries: readonly { readonly place: number; readonly entry: RawEntry }[]): Promise<Claim[]> {
    return await this.#changing(async () => {
      const claims: Claim[] = []
      const parsed = entries.map(({ place, entry }) => ({ place, entry, payload: readPayload(entry.payload) }))
      await this.#tables.accounts.prefetch(
        parsed.flatMap(({ entry, payload }) =>
          payload.type === 'transfer' ? [entry.author, payload.to] : [entry.author]
        )
      )
      for (const { place, entry, payload } of parsed) {
        const found = await this.#add(entry, payload)
        if (found !== undefined) claims.push(found)
        this.#advance({ place, last: keyOf(entry) })
      }
      await this.#approvals.settle(stepsTogether)
      return claims
    })
  }

  /** Does a part of the open work. Returns whether all of it is done. */
  async settle(): Promise<boolean> {
    if (this.settled) return true
    return await this.#changing(async () => {
      await this.#approvals.settle(stepsTogether)
      await this.#accounts.settle(stepsTogether)
      return this.settled
    })
  }

  /** What changed since the last call. */
  changes(): Changes {
    const changes = { overturned: [...this.#overturned], confirmed: [...this.#confirmed] }
    this.#overturned.clear()
    this.#confirmed.clear()
    return changes
  }

  counts(): Counts {
    const { entries, rejected } = this.#progress
    return { entries, accepted: entries - rejected, rejected }
  }

  /** The contents that records name, and how many of them this node has a copy of. */
  copies(): { known: number; kept: number } {
    const { documents, missing } = this.#progress
    return { known: documents, kept: documents - missing }
  }

  async get(cid: CID): Promise<LedgerEntry | undefined> {
    return await this.#reader.get(cid)
  }

  async describe(raw: RawEntry): Promise<LedgerEntry | undefined> {
    return await this.#reader.describe(raw)
  }

  entries(query?: EntriesQuery): AsyncIterable<LedgerEntry> {
    return this.#reader.entries(query)
  }

  async standing(account: string): Promise<Standing> {
    return await this.#accounts.standing(account)
  }

  /** All accounts that have or had a balance or an entry, by id. */
  async balances(): Promise<Balances> {
    return await this.#lock.run(async () => await this.#allBalances())
  }

  /** Counts and balances at one moment; `undefined` while counted entries have not taken effect yet. */
  async summary(): Promise<Summary | undefined> {
    return await this.#lock.run(async () => {
      if (!this.settled) return undefined
      this.#balances ??= balancesCid(await this.#allBalances())
      return { ...this.counts(), balances: this.#balances }
    })
  }

  /** The account's entry with this reference; if there are several, the first in canonical order. */
  async byReference(author: string, reference: string): Promise<LedgerEntry | undefined> {
    return await this.#reader.at(await this.#tables.firsts.get(referenceOf(author, reference)))
  }

  /** The record that labels a content: the author's own, otherwise the first one if all records agree on its media type. */
  async byContent(cid: CID, author: string): Promise<LedgerEntry | undefined> {
    const own = await this.#documents.firstOf(author, cid)
    if (own !== undefined) return await this.#reader.at(own)
    const document = await this.#documents.get(cid)
    return document === undefined || document.contested ? undefined : await this.#reader.at(document.first)
  }

  /** Contents that this node has no copy of. */
  missing(): AsyncIterable<Claim> {
    return this.#documents.missing()
  }

  async isMissing(cid: CID): Promise<boolean> {
    return await this.#documents.isMissing(cid)
  }

  /** Contents that this node has a copy of, as far as it knows. */
  kept(): AsyncIterable<CID> {
    return this.#documents.kept()
  }

  async found(cid: CID): Promise<void> {
    await this.#changing(async () => {
      if (!(await this.#documents.isMissing(cid))) return
      this.#documents.found(cid)
      this.#advance({ missing: this.#progress.missing - 1 })
    })
  }

  /** The copies are gone. */
  async lost(cids: readonly CID[]): Promise<void> {
    await this.#changing(async () => {
      for (const cid of cids) {
        if (await this.#documents.isMissing(cid)) continue
        this.#documents.lost(cid)
        this.#advance({ missing: this.#progress.missing + 1 })
      }
    })
  }

  async #allBalances(): Promise<Balances> {
    const all = new Map<string, Standing>()
    for (const [id, balance] of this.#options.genesis.balances) all.set(id, { balance, next: 0 })
    for await (const [id, row] of this.#tables.accounts.scan({ from: '', to: '\u00ff' })) all.set(id, row)
    return [...all].filter(([, { balance, next }]) => balance > 0n || next > 0).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async #add(entry: RawEntry, payload: Payload): Promise<Claim | undefined> {
    const { author } = entry
    const key = keyOf(entry)
    const parents = await this.#keys.of(entry.parents)
    this.#keys.remember(entry)
    this.#tables.entries.put(key, { approvedBy: 0, parents })
    const { sequence, reference } = payload
    const moved = payload.type === 'transfer' ? { amount: payload.amount, to: payload.to } : { amount: 0n }
    await this.#accounts.add({ key, author, sequence, ...moved })
    this.#approvals.add(author, parents)
    if (reference !== undefined) await this.#refer(referenceOf(author, reference), key)
    const { entries, documents, missing } = this.#progress
    this.#advance({ entries: entries + 1 })
    if (payload.type !== 'record') return undefined
    const { isNew, claim } = await this.#documents.add(key, author, payload)
    if (isNew) this.#advance({ documents: documents + 1, missing: missing + 1 })
    return claim
  }

  async #refer(name: string, key: Key): Promise<void> {
    const known = await this.#tables.firsts.get(name)
    if (known === undefined || key < known) this.#tables.firsts.put(name, key)
  }

  #advance(by: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...by }
  }

  /** Makes one change at a time. Each is written as a whole, together with changes that follow soon after it. */
  async #changing<T>(work: () => Promise<T>): Promise<T> {
    return await this.#lock.run(async () => {
      let result: T
      try {
        result = await work()
      } catch (error) {
        // Half of a change must not be written. The state on disk counts, and continues from there.
        this.#tables.forget()
        await this.#resume()
        throw error
      }
      this.#balances = undefined
      if (this.#tables.changes >= together.rows) await this.#flush()
      else this.#flushing ??= systemClock.setTimeout(() => this.#flushLater(), together.ms)
      return result
    })
  }

  #flushLater(): void {
    // If the disk accepts no more, the next change fails once too many rows wait.
    this.#lock.run(async () => await this.#flush()).catch(() => undefined)
  }

  async #flush(): Promise<void> {
    systemClock.clearTimeout(this.#flushing)
    this.#flushing = undefined
    if (this.#tables.changes === 0) return
    const marks = [...this.#accounts.marks.values()].map(({ account, key, own }) => [account, key, own] as const)
    try {
      await this.#tables.flush({ ...this.#progress, marks, open: [...this.#approvals.open] })
    } catch (error) {
      // A full disk is no reason to forget changes: the entries exist, and what is derived from them waits in memory.
      if (this.#tables.changes > mostWaiting) throw error
    }
  }

  async #resume(): Promise<this> {
    const { genesis, entries } = this.#options
    const { lines, accounts, entries: rows } = this.#tables
    const progress = (await this.#tables.progress()) ?? startOf(entries.store)
    this.#progress = progress
    this.#documents = new Documents(this.#tables)
    const onJudged = (key: Key, before: Judgement, after: Judgement): void => this.#judged(key, before, after)
    const marks = progress.marks.map(([account, key, own]) => ({ account, key, own }))
    this.#accounts = new Accounts({ lines, accounts, initial: genesis.balances, onJudged }, marks)
    this.#reader = new EntryReader(entries, this.#tables, this.#accounts)
    const onConfirmed = (key: Key): unknown => this.observed && this.#confirmed.add(key)
    this.#approvals = new Approvals(rows, genesis.witnesses, onConfirmed, progress.open)
    return this
  }

  #judged(key: Key, before: Judgement, after: Judgement): void {
    const { rejected } = this.#progress
    const change = Number(isRejected(after)) - Number(isRejected(before))
    if (change !== 0) this.#advance({ rejected: rejected + change })
    if (this.observed && before !== 'unjudged') this.#overturned.add(key)
  }
}

function referenceOf(author: string, reference: string): string {
  return `r${author}/${textOf(new TextEncoder().encode(reference))}`
}

function isRejected(outcome: Judgement): boolean {
  return outcome !== 'accepted' && outcome !== 'unjudged'
}

/** Whether the state was derived from these entries: its place must match theirs. */
async function belongs(entries: Entries, progress: Progress | undefined): Promise<boolean> {
  if (progress === undefined) return true
  if (progress.store !== entries.store) return false
  if (progress.place === 0) return true
  for await (const { entry } of entries.written({ after: progress.place - 1, limit: 1 }))
    return keyOf(entry) === progress.last
  return false
}
