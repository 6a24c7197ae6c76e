import type { View } from '@p2pl/sync'
import type { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import type { Outcome } from '../rules/outcome.ts'
import { type Payload, readPayload } from '../rules/payload.ts'
import type { Accounts } from './accounts.ts'
import { confirmationsOf } from './approvals.ts'
import { cidOfKey, type Key, keyOf } from './keys.ts'
import type { Tables } from './tables.ts'

/** An entry in the ledger, with its outcome under the rules. The outcome may change when an earlier entry arrives late. */
export interface LedgerEntry extends Omit<RawEntry, 'payload'> {
  readonly payload: Payload
  readonly outcome: Outcome
  /** For an entry whose number is already used: the entry that used it. */
  readonly conflict?: CID | undefined
  readonly confirmations: number
}

/** An entry from the network or the store: signed and solid. */
export interface RawEntry {
  readonly cid: CID
  readonly clock: number
  readonly author: string
  readonly parents: readonly CID[]
  readonly payload: Uint8Array
}

export interface EntriesQuery {
  /** Only entries after this one. */
  readonly after?: CID | undefined
  readonly reverse?: boolean | undefined
  /** Only entries of one account: written by it or paid to it. */
  readonly account?: string | undefined
  readonly limit?: number | undefined
}

/** Entries from the view, with their data from the tables. */
export class EntryReader {
  readonly #entries: Pick<View, 'get' | 'entries'>
  readonly #tables: Pick<Tables, 'entries'>
  readonly #accounts: Accounts

  constructor(entries: Pick<View, 'get' | 'entries'>, tables: Pick<Tables, 'entries'>, accounts: Accounts) {
    this.#entries = entries
    this.#tables = tables
    this.#accounts = accounts
  }

  async get(cid: CID): Promise<LedgerEntry | undefined> {
    const raw = await this.#entries.get(cid)
    return raw && (await this.describe(raw))
  }

  async at(key: Key | undefined): Promise<LedgerEntry | undefined> {
    return key === undefined ? undefined : await this.get(cidOfKey(key))
  }

  /** The entry with its outcome; `undefined` while it is not counted. */
  async describe(raw: RawEntry): Promise<LedgerEntry | undefined> {
    const key = keyOf(raw)
    const [row, line] = await Promise.all([this.#tables.entries.get(key), this.#accounts.line(raw.author, key)])
    if (row === undefined || line?.own !== true || line.outcome === 'unjudged') return undefined
    const { outcome } = line
    const payload = readPayload(raw.payload)
    const holder = outcome === 'sequence-used' ? await this.#accounts.holderOf(raw.author, payload.sequence) : undefined
    const conflict = holder === undefined ? undefined : cidOfKey(holder)
    return { ...raw, payload, outcome, conflict, confirmations: confirmationsOf(row.approvedBy) }
  }

  /**
   * Entries in canonical order or in reverse, optionally only those after `after` and those of one account (by it or to
   * it).
   */
  async *entries(query: EntriesQuery = {}): AsyncGenerator<LedgerEntry> {
    const { after, reverse = false, account, limit } = query
    const start = after && (await this.#entries.get(after))
    if (after !== undefined && start === undefined) throw new LedgerError('NOT_FOUND', `no entry ${after.toString()}`)
    if (account === undefined) {
      for await (const raw of this.#entries.entries({ after, reverse, limit })) {
        const entry = await this.describe(raw)
        if (entry !== undefined) yield entry
      }
      return
    }
    let left = limit ?? Infinity
    for await (const key of this.#accounts.lines(account, start && keyOf(start), reverse)) {
      if (left-- <= 0) return
      const entry = await this.at(key)
      if (entry !== undefined) yield entry
    }
  }
}
