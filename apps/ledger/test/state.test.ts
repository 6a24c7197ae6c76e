import { seededRandom } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Genesis } from '../src/rules/genesis.ts'
import { decodePayload, type Payload } from '../src/rules/payload.ts'
import { Tally } from '../src/rules/tally.ts'
import type { Line } from '../src/state/rows.ts'
import { cidOfKey, keyOf } from '../src/state/keys.ts'
import { Table } from '../src/state/table.ts'
import type { RawEntry } from '../src/state/entry-reader.ts'
import {
  accountIds,
  cidOf,
  compareEntries,
  genesisOf,
  newDatabase,
  RawEntries,
  rawEntry,
  TestState
} from './support.ts'

let accounts: string[] = []
let genesis: Genesis
beforeAll(async () => {
  accounts = await accountIds(5)
  const [a = '', b = '', c = '', d = ''] = accounts
  genesis = genesisOf(
    [
      [a, 100n],
      [b, 50n],
      [c, 10n]
    ],
    [a, c, d]
  ).genesis
})

const transfer = (sequence: number, to: string, amount: bigint): Payload => ({ type: 'transfer', sequence, to, amount })

/** A ledger with forks, double spends, gaps and overdrafts: everything that a careless or hostile crowd could write. */
function randomLedger(seed: number, size: number): RawEntry[] {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const entries: RawEntry[] = []
  const sequences = new Map<string, number>()
  for (let i = 0; i < size; i++) {
    const author = accounts[below(accounts.length)] ?? ''
    const parents = new Set<RawEntry>()
    for (let k = below(4); k > 0 && entries.length > 0; k--) {
      const recent = entries[Math.max(0, entries.length - 1 - below(8))]
      if (recent !== undefined) parents.add(recent)
    }
    const next = sequences.get(author) ?? 0
    const sequence = Math.max(0, next + (below(5) === 0 ? below(3) - 1 : 0))
    sequences.set(author, Math.max(next, sequence + 1))
    const others = accounts.filter((id) => id !== author)
    const to = others[below(others.length)] ?? ''
    const payload: Payload =
      below(6) === 0
        ? { type: 'record', sequence, cid: cidOf(`document ${i}`, 0x55), name: 'n', mediaType: 'text/plain', size: 1 }
        : transfer(sequence, to, BigInt(1 + below(40)))
    entries.push(rawEntry(`${seed}/${i}`, author, payload, [...parents]))
  }
  return entries
}

/** A random order in which parents come before children. */
function shuffle(entries: readonly RawEntry[], seed: number): RawEntry[] {
  const random = seededRandom(seed)
  const open = [...entries]
  const present = new Set<string>()
  const result: RawEntry[] = []
  while (open.length > 0) {
    const ready = open.filter(({ parents }) => parents.every((cid) => present.has(cid.toString())))
    const entry = ready[Math.floor(random() * ready.length)]
    if (entry === undefined) throw new Error('no entry is ready')
    open.splice(open.indexOf(entry), 1)
    present.add(entry.cid.toString())
    result.push(entry)
  }
  return result
}

/** The rules again, as simply as possible. */
function recount(entries: readonly RawEntry[]): { balances: Map<string, bigint>; rejected: Map<string, string> } {
  const balances = new Map(genesis.balances)
  const used = new Map<string, number>()
  const rejected = new Map<string, string>()
  for (const entry of [...entries].sort(compareEntries)) {
    const payload = decodePayload(entry.payload)
    const next = used.get(entry.author) ?? 0
    const key = entry.cid.toString()
    if (payload.sequence < next) rejected.set(key, 'sequence-used')
    else if (payload.sequence > next) rejected.set(key, 'sequence-gap')
    else {
      used.set(entry.author, next + 1)
      if (payload.type === 'record') continue
      const balance = balances.get(entry.author) ?? 0n
      if (balance < payload.amount) rejected.set(key, 'overdraft')
      else {
        balances.set(entry.author, balance - payload.amount)
        balances.set(payload.to, (balances.get(payload.to) ?? 0n) + payload.amount)
      }
    }
  }
  return { balances, rejected }
}

/** Counts approvals by looking at all pairs. */
function countApprovals(entries: readonly RawEntry[]): Map<string, number> {
  const byCid = new Map(entries.map((entry) => [entry.cid.toString(), entry]))
  const approvers = new Map<string, Set<string>>()
  for (const entry of entries) {
    if (!genesis.witnesses.includes(entry.author)) continue
    const seen = new Set<string>()
    const open = entry.parents.map(String)
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (seen.has(key)) continue
      seen.add(key)
      approvers.set(key, (approvers.get(key) ?? new Set()).add(entry.author))
      open.push(...(byCid.get(key)?.parents.map(String) ?? []))
    }
  }
  return new Map([...approvers].map(([key, set]) => [key, set.size]))
}

async function outcomes(state: TestState): Promise<[string, string, number][]> {
  return (await state.all()).map(({ cid, outcome, confirmations }) => [cid.toString(), outcome, confirmations])
}

/** A chain of transfers of 2 between two accounts. */
function chainOf(length: number): RawEntry[] {
  const [a = '', b = ''] = accounts
  const chain: RawEntry[] = []
  for (let i = 0; i < length; i++) {
    const [from, to] = i % 2 === 0 ? [a, b] : [b, a]
    chain.push(rawEntry(`chain ${i}`, from, transfer(Math.floor(i / 2), to, 2n), chain.slice(-1)))
  }
  return chain
}

describe('state', () => {
  it('is the same for every order of arrival, however often it is opened again, and as the plain rules say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 60 }), async (seed, order, size) => {
        const written = randomLedger(seed, size)
        const expected = recount(written)
        const approvals = countApprovals(written)
        const database = newDatabase()
        const random = seededRandom(order)
        let state = await TestState.open(genesis, new RawEntries(), database)
        for (const entry of shuffle(written, order)) {
          await state.take(entry)
          // Either settled in between, so that later entries have to rewind; or not, so that late entries meet open
          // ones.
          if (random() < 0.3) await state.state.settle()
          if (random() < 0.1) {
            await state.state.close()
            state = await TestState.open(genesis, state.entries, database)
          }
        }
        await state.add()
        expect(await outcomes(state)).toEqual(
          written
            .toSorted(compareEntries)
            .map(({ cid }) => [
              cid.toString(),
              expected.rejected.get(cid.toString()) ?? 'accepted',
              approvals.get(cid.toString()) ?? 0
            ])
        )
        for (const [account, balance] of expected.balances)
          expect((await state.state.standing(account)).balance).toBe(balance)
        const counts = { entries: size, accepted: size - expected.rejected.size, rejected: expected.rejected.size }
        expect(state.state.counts()).toEqual(counts)
        const tally = new Tally(genesis.balances)
        for (const { author, payload } of written.toSorted(compareEntries))
          tally.add({ author, payload: decodePayload(payload) })
        expect([tally.counts(), tally.balances()]).toEqual([counts, await state.state.balances()].map(withoutLast))
      }),
      { seed: 1, numRuns: 100 }
    )
  })

  it('never makes or loses money', async () => {
    const total = [...genesis.balances.values()].reduce((sum, balance) => sum + balance, 0n)
    for (let seed = 0; seed < 20; seed++) {
      const state = await TestState.open(genesis)
      for (const entry of shuffle(randomLedger(seed, 80), seed)) {
        await state.add(entry)
        const balances = (await state.state.balances()).map(([, { balance }]) => balance)
        expect(balances.every((balance) => balance >= 0n)).toBe(true)
        expect(balances.reduce((sum, balance) => sum + balance, 0n)).toBe(total)
      }
    }
  })

  it('lets one of two spends of one number count, on every peer the same', async () => {
    const [a = '', b = '', c = ''] = accounts
    const first = rawEntry('first', a, transfer(0, b, 100n))
    const second = rawEntry('second', a, transfer(0, c, 100n))
    const [winner, loser] = [first, second].sort(compareEntries) as [RawEntry, RawEntry]
    for (const order of [
      [first, second],
      [second, first]
    ]) {
      const state = await TestState.open(genesis)
      await state.add(...order)
      expect(await state.state.get(winner.cid)).toMatchObject({ outcome: 'accepted', conflict: undefined })
      const lost = await state.state.get(loser.cid)
      expect([lost?.outcome, lost?.conflict?.toString()]).toEqual(['sequence-used', winner.cid.toString()])
    }
  })

  it('finds the entry that has a number among many of the account', async () => {
    const [a = '', b = ''] = accounts
    const state = await TestState.open(genesis)
    const chain: RawEntry[] = []
    for (let i = 0; i < 40; i++) chain.push(rawEntry(`own ${i}`, a, transfer(i, b, 1n), chain.slice(-1)))
    // Several with one clock, and transfers of others in between.
    const beside = Array.from({ length: 10 }, (_, i) =>
      rawEntry(`other ${i}`, b, transfer(i, a, 1n), [chain[5 * (i >> 1)] as RawEntry])
    )
    const again = [0, 7, 20, 39].map((number) =>
      rawEntry(`again ${number}`, a, transfer(number, b, 2n), chain.slice(-1))
    )
    await state.add(...chain, ...beside, ...again)
    const conflicts = await Promise.all(
      again.map(async ({ cid }) => (await state.state.get(cid))?.conflict?.toString())
    )
    expect(conflicts).toEqual([0, 7, 20, 39].map((number) => chain[number]?.cid.toString()))
  })

  it('says which outcomes a late entry overturns', async () => {
    const [a = '', b = '', c = ''] = accounts
    const late = rawEntry('late', a, transfer(0, c, 100n))
    const root = rawEntry('root', b, transfer(0, c, 1n))
    const spend = rawEntry('spend', a, transfer(0, b, 100n), [root])
    const onward = rawEntry('onward', b, transfer(1, c, 140n), [spend])
    const state = await TestState.open(genesis)
    state.state.observed = true
    await state.add(root, spend, onward)
    expect(state.state.changes()).toMatchObject({ overturned: [] })
    expect(state.state.counts()).toMatchObject({ rejected: 0 })
    await state.add(late)
    const { overturned } = state.state.changes()
    expect(overturned.map((key) => cidOfKey(key).toString())).toEqual([spend.cid, onward.cid].map(String))
    expect(await state.state.get(spend.cid)).toMatchObject({ outcome: 'sequence-used' })
    expect(await state.state.get(onward.cid)).toMatchObject({ outcome: 'overdraft' })
    // The number of an overdraft is used up: the account continues with the next one.
    expect((await state.state.standing(b)).next).toBe(2)
  })

  it('finds the same entry for a reference and a document, in whatever order they came', async () => {
    const [a = '', b = ''] = accounts
    const document = { cid: cidOf('document', 0x55), size: 3, mediaType: 'text/plain' }
    const record = (name: string): Payload => ({ type: 'record', sequence: 0, reference: 'r\u20ac', name, ...document })
    const one = rawEntry('one', a, record('one'))
    const two = rawEntry('two', a, record('two'))
    const other = rawEntry('other', b, record('other'))
    const found = []
    for (const order of [
      [one, two, other],
      [other, two, one]
    ]) {
      const { state, add } = bound(await TestState.open(genesis))
      await add(...order)
      const entries = [
        await state.byReference(a, 'r\u20ac'),
        await state.byContent(document.cid, a),
        await state.byContent(document.cid, b)
      ]
      found.push(entries.map((entry) => entry?.cid.toString()))
      // "\u20ac" and "\u00ac" have the same low byte.
      expect(await state.byReference(a, 'r\u00ac')).toBeUndefined()
    }
    expect(found[0]).toEqual(found[1])
    expect(found[0]?.[2]).toBe(other.cid.toString())
  })

  it('gives a document no label of strangers where records give it different media types', async () => {
    const [a = '', b = '', c = ''] = accounts
    const record = (author: string, name: string, mediaType: string): RawEntry =>
      rawEntry(name, author, { type: 'record', sequence: 0, cid: cidOf('doc', 0x55), name, size: 3, mediaType })
    const entries = [record(a, 'one', 'text/plain'), record(a, 'two', 'text/plain'), record(b, 'three', 'text/html')]
    for (const order of [entries, entries.toReversed()]) {
      const { state, add } = bound(await TestState.open(genesis))
      await add(...order)
      expect(await state.byContent(cidOf('doc', 0x55), c)).toBeUndefined()
      expect((await state.byContent(cidOf('doc', 0x55), b))?.cid.toString()).toBe(entries[2]?.cid.toString())
    }
    const { state, add } = bound(await TestState.open(genesis))
    await add(...entries.slice(0, 2))
    expect(await state.byContent(cidOf('doc', 0x55), c)).toBeDefined()
  })

  it('takes no entry without its parents, and nothing of one that it cannot take', async () => {
    const [a = '', b = ''] = accounts
    const state = await TestState.open(genesis)
    const root = rawEntry('root', a, transfer(0, b, 1n))
    const child = rawEntry('child', a, transfer(1, b, 1n), [root])
    await expect(state.add(child)).rejects.toThrow(expect.objectContaining({ code: 'INVALID_CONTENT' }))
    state.entries.all.length = 0
    await state.add(root, child)
    expect(state.state.counts()).toEqual({ entries: 2, accepted: 2, rejected: 0 })
    expect((await state.state.standing(a)).balance).toBe(98n)
  })

  it('reads forwards, backwards, from any entry on, and one account alone', async () => {
    const state = await TestState.open(genesis)
    await state.add(...randomLedger(5, 40))
    const entries = await state.all()
    const all = entries.map(({ cid }) => cid.toString())
    expect(all).toHaveLength(40)
    const cids = async (options: Parameters<TestState['all']>[0]): Promise<string[]> =>
      (await state.all(options)).map(({ cid }) => cid.toString())
    expect(await cids({ reverse: true })).toEqual(all.toReversed())
    const after = entries[17]?.cid
    expect(await cids({ after })).toEqual(all.slice(18))
    expect(await cids({ after, limit: 5 })).toEqual(all.slice(18, 23))
    expect(await cids({ after, reverse: true })).toEqual(all.slice(0, 17).toReversed())
    await expect(cids({ after: cidOf('unknown') })).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    for (const account of accounts) {
      const own = entries
        .map((entry, i) => ({ entry, i }))
        .filter(
          ({ entry: { author, payload } }) =>
            author === account || (payload.type === 'transfer' && payload.to === account)
        )
      const expected = own.map(({ entry }) => entry.cid.toString())
      expect(await cids({ account })).toEqual(expected)
      expect(await cids({ account, reverse: true, limit: 3 })).toEqual(expected.toReversed().slice(0, 3))
      // The entry to continue after need not belong to the account.
      expect(await cids({ account, after })).toEqual(
        own.filter(({ i }) => i > 17).map(({ entry }) => entry.cid.toString())
      )
    }
  })

  it('counts nobody else again for late entries of strangers', async () => {
    const [, , , stranger = '', other = ''] = accounts
    const [a = '', b = ''] = accounts
    const state = await TestState.open(genesisOf([[a, 1_000_000n]]).genesis)
    await state.add(...chainOf(2_000))
    const written = watchLines()
    // They come first in canonical order, and each is counted before the next one arrives.
    for (let i = 0; i < 100; i++) {
      const [from, to] = i % 2 === 0 ? [stranger, other] : [other, stranger]
      const late = rawEntry(`late ${i}`, from, i % 3 === 0 ? transfer(i, a, 1n) : transfer(i, to, 1n))
      expect(late.clock).toBe(1)
      await state.add(late)
    }
    const ofOthers = written().filter((key) => key.startsWith(a) || key.startsWith(b))
    // If they name an account, it gets a line without an effect.
    expect(ofOthers).toHaveLength(34)
    expect(state.state.counts()).toEqual({ entries: 2_100, accepted: 2_000, rejected: 100 })
  })

  it('does not count again what stands before a late entry', async () => {
    const [a = '', b = ''] = accounts
    const chain: RawEntry[] = []
    for (let i = 0; i < 3_000; i++) chain.push(rawEntry(String(i), a, transfer(i, b, 0n + 1n), chain.slice(-1)))
    const state = await TestState.open(genesisOf([[a, 1_000_000n]]).genesis)
    await state.add(...chain)
    const written = watchLines()
    const late = rawEntry('late', b, transfer(0, a, 1n), [chain[2_900] as RawEntry])
    await state.add(late)
    const touched = written()
    expect(touched.every((key) => key.slice(-40) >= keyOf(chain[2_901] as RawEntry) || key.endsWith(keyOf(late)))).toBe(
      true
    )
    // A line of each account for each later entry, and the lines of the late one: inserted, judged, and received.
    expect(touched.length).toBeLessThanOrEqual(2 * 99 + 5)
  })
})

/** Collects the lines of accounts that are written from now on. */
function watchLines(): () => string[] {
  const spy = vi.spyOn(Table.prototype as Table<Line>, 'put')
  return () => {
    const written = spy.mock.calls.filter(([, row]) => 'balance' in row && 'amount' in row).map(([key]) => key)
    spy.mockRestore()
    return written
  }
}

function bound(state: TestState): { state: TestState['state']; add: TestState['add'] } {
  return { state: state.state, add: async (...entries) => await state.add(...entries) }
}

function withoutLast(value: unknown): unknown {
  return Array.isArray(value) ? value.map(([id, { balance, next }]) => [id, { balance, next }]) : value
}
