import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { identityFromSeed, type Identity } from '@p2pl/core'
import type { Database } from '@p2pl/store'
import type { Entry, View, Written } from '@p2pl/sync'
import { MemoryLevel } from 'memory-level'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { initHome, type Home, prepareHome } from '../src/node/home.ts'
import { encodeGenesis, type Genesis, type GenesisBlock } from '../src/rules/genesis.ts'
import { encodePayload, type Payload } from '../src/rules/payload.ts'
import { keyOf } from '../src/state/keys.ts'
import type { LedgerEntry, RawEntry } from '../src/state/entry-reader.ts'
import { LedgerState } from '../src/state/ledger-state.ts'

/** The account for this number, the same in every run. */
export async function account(number: number): Promise<Identity> {
  return await identityFromSeed(createHash('sha256').update(`test account ${number}`).digest())
}

export async function accountIds(count: number): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, async (_, i) => (await account(i)).id))
}

export function cidOf(text: string, codec = 0x71): CID {
  return CID.createV1(codec, digest.create(0x12, createHash('sha256').update(text).digest()))
}

/** An entry as sync would deliver it. Its CID is derived from its name. */
export function rawEntry(
  name: string,
  author: string,
  payload: Payload | Uint8Array,
  parents: readonly RawEntry[] = []
): RawEntry {
  return {
    cid: cidOf(name),
    clock: parents.reduce((largest, { clock }) => Math.max(largest, clock), 0) + 1,
    author,
    parents: parents.map(({ cid }) => cid),
    payload: payload instanceof Uint8Array ? payload : encodePayload(payload)
  }
}

export function genesisOf(balances: Iterable<[string, bigint]>, witnesses: readonly string[] = []): GenesisBlock {
  return encodeGenesis({ network: 'test', balances: new Map(balances), witnesses, salt: new Uint8Array(16) })
}

/** Folders of one ledger. Each account begins with 1,000 and is a witness. */
export async function makeHomes(folder: string, names: readonly string[]): Promise<Home[]> {
  const paths = names.map((name) => join(folder, name))
  const accounts = await Promise.all(paths.map(async (path) => (await prepareHome(path)).id))
  const genesis = genesisOf(
    accounts.map((id) => [id, 1_000n]),
    accounts
  )
  return await Promise.all(paths.map(async (path) => await initHome(path, genesis)))
}

/** The part of a view that a state reads: entries in the order in which they were added. */
export class RawEntries implements Pick<View, 'get' | 'entries' | 'written' | 'store'> {
  readonly store: string
  readonly all: RawEntry[] = []
  /** The number of entries that were read. */
  reads = 0

  constructor(store = 'a store') {
    this.store = store
  }

  async get(cid: CID): Promise<Entry | undefined> {
    this.reads++
    return this.all.find((entry) => entry.cid.equals(cid)) as Entry | undefined
  }

  async *entries({
    after,
    reverse = false,
    limit = Infinity
  }: Parameters<View['entries']>[0] = {}): AsyncGenerator<Entry> {
    const sorted = this.all.toSorted(compareEntries)
    if (reverse) sorted.reverse()
    const from = after === undefined ? 0 : sorted.findIndex(({ cid }) => cid.equals(after)) + 1
    for (const entry of sorted.slice(from, from + limit)) yield this.#read(entry)
  }

  async *written({ after = 0, limit = Infinity }: Parameters<View['written']>[0] = {}): AsyncGenerator<Written> {
    for (const [i, entry] of this.all.slice(after, after + limit).entries())
      yield { place: after + i + 1, entry: this.#read(entry) }
  }

  #read(entry: RawEntry): Entry {
    this.reads++
    return entry as Entry
  }
}

export function compareEntries(a: RawEntry, b: RawEntry): number {
  return keyOf(a) < keyOf(b) ? -1 : 1
}

/** A database that lives as long as the test. */
export function newDatabase(): Database {
  return new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' })
}

/** A state, and what a node does with it. */
export class TestState {
  readonly entries: RawEntries
  readonly state: LedgerState

  private constructor(entries: RawEntries, state: LedgerState) {
    this.entries = entries
    this.state = state
  }

  static async open(
    genesis: Genesis,
    entries: RawEntries = new RawEntries(),
    location: string | Database = newDatabase()
  ): Promise<TestState> {
    return new TestState(entries, await LedgerState.open({ location, genesis, entries }))
  }

  /** Takes entries and settles all of their effects. */
  async add(...entries: RawEntry[]): Promise<void> {
    await this.take(...entries)
    while (!(await this.state.settle())) continue
  }

  /** Takes entries whose effects may stay open. */
  async take(...entries: RawEntry[]): Promise<void> {
    this.entries.all.push(...entries)
    const batch: Written[] = []
    for await (const one of this.entries.written({ after: this.state.place })) batch.push(one)
    await this.state.add(batch)
  }

  async all(options: Parameters<LedgerState['entries']>[0] = {}): Promise<LedgerEntry[]> {
    const all: LedgerEntry[] = []
    for await (const entry of this.state.entries(options)) all.push(entry)
    return all
  }
}
