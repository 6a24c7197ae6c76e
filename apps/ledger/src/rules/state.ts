import * as dagCbor from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { cborCid } from '../cbor-cid.ts'
import { LedgerError } from '../errors.ts'
import { Accounts, type Outcome, type Posting, unjudged } from './accounts.ts'
import { type Approvable, Approvals } from './approvals.ts'
import { amountToCbor } from './fields.ts'
import type { Genesis } from './genesis.ts'
import { maxParents } from './limits.ts'
import { compareEntries, type Ordered, positionOf } from './order.ts'
import { decodePayload, type Payload } from './payload.ts'

/** An entry as it comes from the network or the store: signed, and solid. */
export interface RawEntry extends Ordered {
  readonly parents: readonly CID[]
  readonly author: string
  readonly payload: Uint8Array
}

/** An entry in the ledger. What the rules make of it is `outcome`; that may change when an earlier entry arrives late. */
export interface LedgerEntry extends Posting, Approvable {
  readonly parents: readonly LedgerEntry[]
}

/** What changed in the ledger since the last look. */
export interface Changes {
  /** In the order of arrival. */
  readonly added: readonly LedgerEntry[]
  /** Entries whose outcome changed. */
  readonly overturned: readonly LedgerEntry[]
  /** Entries that gained confirmations. */
  readonly confirmed: readonly LedgerEntry[]
}

export interface Counts {
  readonly entries: number
  readonly accepted: number
  readonly rejected: number
}

/** Whether an entry may be in the ledger at all: its form alone, so that all peers decide alike and for ever. */
export function isWellFormed(entry: RawEntry): boolean {
  try {
    parse(entry)
    return true
  } catch {
    return false
  }
}

function parse(entry: RawEntry): Payload {
  if (entry.parents.length > maxParents)
    throw new LedgerError('INVALID_ARGUMENT', `an entry approves at most ${maxParents} others`)
  const payload = decodePayload(entry.payload)
  if (payload.type === 'transfer' && payload.to === entry.author)
    throw new LedgerError('INVALID_ARGUMENT', 'to must be another account')
  return payload
}

/**
 * The whole ledger in memory: entries in canonical order, accounts, confirmations. Entries may come in any order in which
 * parents stand before children; the result is the same.
 */
export class LedgerState {
  readonly #accounts: Accounts
  readonly #approvals: Approvals
  readonly #entries = new Map<string, LedgerEntry>()
  readonly #order: LedgerEntry[] = []
  readonly #references = new Map<string, LedgerEntry>()
  /** The first record of each content: of all, and of each author. */
  readonly #documents = new Map<string, LedgerEntry>()
  /** Contents that records give different media types. */
  readonly #contested = new Set<string>()
  #rejected = 0
  #added: LedgerEntry[] = []
  readonly #overturned = new Set<LedgerEntry>()
  readonly #confirmed = new Set<LedgerEntry>()

  constructor(genesis: Genesis) {
    this.#accounts = new Accounts(genesis.balances, (posting, before) => {
      this.#judged(posting as LedgerEntry, before)
    })
    this.#approvals = new Approvals(genesis.witnesses)
  }

  /** Adds a well-formed entry and gives it; nothing when it is there already. Its outcome is not known yet. */
  add(raw: RawEntry): LedgerEntry | undefined {
    const key = raw.cid.toString()
    if (this.#entries.has(key)) return undefined
    const entry: LedgerEntry = {
      cid: raw.cid,
      clock: raw.clock,
      author: raw.author,
      parents: raw.parents.map((cid) => this.#parent(cid)),
      payload: parse(raw),
      approvedBy: 0,
      outcome: unjudged
    }
    this.#entries.set(key, entry)
    const position = positionOf(this.#order, entry)
    if (position === this.#order.length) this.#order.push(entry)
    else this.#order.splice(position, 0, entry)
    this.#accounts.add(entry)
    this.#approvals.add(entry, (approved) => this.#confirmed.add(approved as LedgerEntry))
    this.#remember(entry)
    this.#added.push(entry)
    return entry
  }

  /** What changed since the last call. */
  changes(): Changes {
    this.#accounts.settle()
    // The first outcome of a new entry was never reported.
    for (const entry of this.#added) this.#overturned.delete(entry)
    const changes = { added: this.#added, overturned: [...this.#overturned], confirmed: [...this.#confirmed] }
    this.#added = []
    this.#overturned.clear()
    this.#confirmed.clear()
    return changes
  }

  get size(): number {
    return this.#order.length
  }

  counts(): Counts {
    this.#accounts.settle()
    return { entries: this.#order.length, accepted: this.#order.length - this.#rejected, rejected: this.#rejected }
  }

  get(cid: CID): LedgerEntry | undefined {
    this.#accounts.settle()
    return this.#entries.get(cid.toString())
  }

  /** The account's entry with this reference; of several the first in canonical order. */
  byReference(author: string, reference: string): LedgerEntry | undefined {
    this.#accounts.settle()
    return this.#references.get(referenceKey(author, reference))
  }

  /** The first record of this content in canonical order; of this author, where one is given. */
  byContent(cid: CID, author?: string): LedgerEntry | undefined {
    this.#accounts.settle()
    return this.#documents.get(author === undefined ? cid.toString() : documentKey(author, cid))
  }

  /** Whether records give this content different media types. Then none of them counts by itself. */
  isContested(cid: CID): boolean {
    return this.#contested.has(cid.toString())
  }

  witnessesOf(entry: LedgerEntry): string[] {
    return this.#approvals.witnessesOf(entry)
  }

  /** Entries in canonical order, or from the last to the first; those after `after`. Not while entries are being added. */
  *entries(options: { after?: CID | undefined; reverse?: boolean | undefined } = {}): Generator<LedgerEntry> {
    this.#accounts.settle()
    const step = options.reverse === true ? -1 : 1
    let i = step === 1 ? 0 : this.#order.length - 1
    if (options.after !== undefined) {
      const after = this.get(options.after)
      if (after === undefined) throw new LedgerError('NOT_FOUND', `no entry ${options.after.toString()}`)
      i = positionOf(this.#order, after) + step
    }
    for (; ; i += step) {
      const entry = this.#order[i]
      if (entry === undefined) return
      yield entry
    }
  }

  balance(account: string): bigint {
    this.#accounts.settle()
    return this.#accounts.balance(account)
  }

  nextSequence(account: string): number {
    this.#accounts.settle()
    return this.#accounts.nextSequence(account)
  }

  balances(): [id: string, balance: bigint][] {
    this.#accounts.settle()
    return this.#accounts.balances()
  }

  /** The CID of all balances as DAG-CBOR: equal exactly when the balances are. */
  balancesCid(): CID {
    return cborCid(dagCbor.encode(this.balances().map(([id, balance]) => [id, amountToCbor(balance)])))
  }

  #parent(cid: CID): LedgerEntry {
    const parent = this.#entries.get(cid.toString())
    if (parent === undefined)
      throw new LedgerError('INVALID_CONTENT', `the parent ${cid.toString()} of an entry is not there`)
    return parent
  }

  #remember(entry: LedgerEntry): void {
    const { author, payload } = entry
    if (payload.reference !== undefined) setFirst(this.#references, referenceKey(author, payload.reference), entry)
    if (payload.type !== 'record') return
    const key = payload.cid.toString()
    const known = this.#documents.get(key)?.payload
    if (known?.type === 'record' && known.mediaType !== payload.mediaType) this.#contested.add(key)
    setFirst(this.#documents, key, entry)
    setFirst(this.#documents, documentKey(author, payload.cid), entry)
  }

  #judged(entry: LedgerEntry, before: Outcome): void {
    if (!before.accepted) this.#rejected--
    if (!entry.outcome.accepted) this.#rejected++
    if (before !== unjudged) this.#overturned.add(entry)
  }
}

/** Keeps the first in canonical order, since the order of arrival differs from peer to peer. */
function setFirst(map: Map<string, LedgerEntry>, key: string, entry: LedgerEntry): void {
  const known = map.get(key)
  if (known === undefined || compareEntries(entry, known) < 0) map.set(key, entry)
}

function referenceKey(author: string, reference: string): string {
  return `${author}/${reference}`
}

function documentKey(author: string, cid: CID): string {
  return `${author}/${cid.toString()}`
}
