import { seededRandom } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { confirmations } from '../src/rules/approvals.ts'
import type { Genesis } from '../src/rules/genesis.ts'
import { compareEntries } from '../src/rules/order.ts'
import { decodePayload, type Payload } from '../src/rules/payload.ts'
import { LedgerState, type RawEntry } from '../src/rules/state.ts'
import { accountIds, cidOf, genesisOf, rawEntry } from './support.ts'

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

/** A ledger with forks, double spends, gaps and overdrafts in it: whatever a careless or hostile crowd could write. */
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

/** Any order in which parents stand before children. */
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

/** The rules once more, as plainly as can be. */
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

/** Who approves what, by looking at all pairs. */
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

function outcomes(state: LedgerState): [string, string, number][] {
  return [...state.entries()].map((entry) => [
    entry.cid.toString(),
    entry.outcome.accepted ? 'accepted' : entry.outcome.reason,
    confirmations(entry)
  ])
}

describe('state', () => {
  it('is the same for every order of arrival, and as the plain rules say', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, order, size) => {
        const entries = randomLedger(seed, size)
        const expected = recount(entries)
        const approvals = countApprovals(entries)
        const state = new LedgerState(genesis)
        const random = seededRandom(order)
        for (const entry of shuffle(entries, order)) {
          state.add(entry)
          // Looking in between makes it settle, so that later entries have something to rewind.
          if (random() < 0.3) state.counts()
        }
        expect(outcomes(state)).toEqual(
          [...entries]
            .sort(compareEntries)
            .map(({ cid }) => [
              cid.toString(),
              expected.rejected.get(cid.toString()) ?? 'accepted',
              approvals.get(cid.toString()) ?? 0
            ])
        )
        for (const [account, balance] of expected.balances) expect(state.balance(account)).toBe(balance)
        expect(state.counts()).toEqual({
          entries: size,
          accepted: size - expected.rejected.size,
          rejected: expected.rejected.size
        })
      }),
      { numRuns: 150 }
    )
  })

  it('never makes or loses money', () => {
    const total = [...genesis.balances.values()].reduce((sum, balance) => sum + balance, 0n)
    for (let seed = 0; seed < 20; seed++) {
      const state = new LedgerState(genesis)
      for (const entry of randomLedger(seed, 80)) {
        state.add(entry)
        const balances = state.balances().map(([, balance]) => balance)
        expect(balances.every((balance) => balance >= 0n)).toBe(true)
        expect(balances.reduce((sum, balance) => sum + balance, 0n)).toBe(total)
      }
    }
  })

  it('lets one of two spends of one number count, on every peer the same', () => {
    const [a = '', b = '', c = ''] = accounts
    const first = rawEntry('first', a, transfer(0, b, 100n))
    const second = rawEntry('second', a, transfer(0, c, 100n))
    const [winner, loser] = [first, second].sort(compareEntries) as [RawEntry, RawEntry]
    for (const order of [
      [first, second],
      [second, first]
    ]) {
      const state = new LedgerState(genesis)
      for (const entry of order) state.add(entry)
      expect(state.get(winner.cid)?.outcome).toEqual({ accepted: true })
      expect(state.get(loser.cid)?.outcome).toMatchObject({ accepted: false, reason: 'sequence-used' })
      const outcome = state.get(loser.cid)?.outcome
      expect(outcome?.accepted === false && outcome.conflict?.cid.toString()).toBe(winner.cid.toString())
    }
  })

  it('says which outcomes a late entry overturns', () => {
    const [a = '', b = '', c = ''] = accounts
    const late = rawEntry('late', a, transfer(0, c, 100n))
    const root = rawEntry('root', b, transfer(0, c, 1n))
    const spend = rawEntry('spend', a, transfer(0, b, 100n), [root])
    const onward = rawEntry('onward', b, transfer(1, c, 140n), [spend])
    const state = new LedgerState(genesis)
    for (const entry of [root, spend, onward]) state.add(entry)
    expect(state.changes()).toMatchObject({ overturned: [] })
    expect(state.counts()).toMatchObject({ rejected: 0 })
    state.add(late)
    const { added, overturned } = state.changes()
    expect(added.map(({ cid }) => cid.toString())).toEqual([late.cid.toString()])
    expect(overturned.map(({ cid }) => cid.toString())).toEqual([spend.cid, onward.cid].map(String))
    expect(state.get(spend.cid)?.outcome).toMatchObject({ reason: 'sequence-used' })
    expect(state.get(onward.cid)?.outcome).toMatchObject({ reason: 'overdraft' })
    // The number of an overdraft is used up: the account goes on with the next.
    expect(state.nextSequence(b)).toBe(2)
  })

  it('finds the same entry for a reference and a document, in whatever order they came', () => {
    const [a = '', b = ''] = accounts
    const document = { cid: cidOf('document', 0x55), size: 3, mediaType: 'text/plain' }
    const record = (name: string): Payload => ({ type: 'record', sequence: 0, reference: 'r', name, ...document })
    const one = rawEntry('one', a, record('one'))
    const two = rawEntry('two', a, record('two'))
    const other = rawEntry('other', b, record('other'))
    const found = [
      [one, two, other],
      [other, two, one]
    ].map((order) => {
      const state = new LedgerState(genesis)
      for (const entry of order) state.add(entry)
      return [state.byReference(a, 'r'), state.byContent(document.cid), state.byContent(document.cid, b)].map((entry) =>
        entry?.cid.toString()
      )
    })
    expect(found[0]).toEqual(found[1])
    expect(found[0]?.[2]).toBe(other.cid.toString())
  })

  it('knows where records give a document different media types', () => {
    const [a = '', b = ''] = accounts
    const record = (author: string, name: string, mediaType: string): RawEntry =>
      rawEntry(name, author, { type: 'record', sequence: 0, cid: cidOf('doc', 0x55), name, size: 3, mediaType })
    const entries = [record(a, 'one', 'text/plain'), record(a, 'two', 'text/plain'), record(b, 'three', 'text/html')]
    for (const order of [entries, entries.toReversed()]) {
      const state = new LedgerState(genesis)
      for (const entry of order) state.add(entry)
      expect(state.isContested(cidOf('doc', 0x55))).toBe(true)
    }
    const agreed = new LedgerState(genesis)
    for (const entry of entries.slice(0, 2)) agreed.add(entry)
    expect([agreed.isContested(cidOf('doc', 0x55)), agreed.isContested(cidOf('other', 0x55))]).toEqual([false, false])
  })

  it('takes an entry once, and none without its parents', () => {
    const [a = '', b = ''] = accounts
    const state = new LedgerState(genesis)
    const root = rawEntry('root', a, transfer(0, b, 1n))
    const child = rawEntry('child', a, transfer(1, b, 1n), [root])
    expect(() => state.add(child)).toThrow(expect.objectContaining({ code: 'INVALID_CONTENT' }))
    expect(state.add(root)).toBeDefined()
    expect(state.add(root)).toBeUndefined()
    expect(state.add(child)).toBeDefined()
    expect(state.size).toBe(2)
  })

  it('reads forwards, backwards and from any entry on', () => {
    const state = new LedgerState(genesis)
    for (const entry of randomLedger(5, 40)) state.add(entry)
    const all = [...state.entries()].map(({ cid }) => cid)
    expect(all).toHaveLength(40)
    expect([...state.entries({ reverse: true })].map(({ cid }) => cid)).toEqual([...all].reverse())
    const middle = all[17]
    expect([...state.entries({ after: middle })].map(({ cid }) => cid)).toEqual(all.slice(18))
    expect([...state.entries({ after: middle, reverse: true })].map(({ cid }) => cid)).toEqual(
      all.slice(0, 17).reverse()
    )
    expect(() => [...state.entries({ after: cidOf('unknown') })]).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' })
    )
  })

  it('counts nobody else again for late entries of strangers', () => {
    const [a = '', b = '', , stranger = '', other = ''] = accounts
    const state = new LedgerState(genesisOf([[a, 1_000_000n]]).genesis)
    const chain: RawEntry[] = []
    const [of, next] = [(i: number): [string, string] => (i % 2 === 0 ? [a, b] : [b, a]), new Map<string, number>()]
    for (let i = 0; i < 2_000; i++) {
      const [from, to] = of(i)
      const sequence = next.get(from) ?? 0
      next.set(from, sequence + 1)
      chain.push(rawEntry(`chain ${i}`, from, transfer(sequence, to, 2n), chain.slice(-1)))
    }
    for (const entry of chain) state.add(entry)
    state.changes()
    let looks = 0
    for (const entry of state.entries()) {
      const { payload } = entry
      Object.defineProperty(entry, 'payload', {
        get: () => {
          looks++
          return payload
        }
      })
    }
    // They come first in canonical order, and each is counted before the next one comes.
    for (let i = 0; i < 100; i++) {
      const [from, to] = i % 2 === 0 ? [stranger, other] : [other, stranger]
      const late = rawEntry(`late ${i}`, from, i % 3 === 0 ? transfer(i, a, 1n) : transfer(i, to, 1n))
      expect(late.clock).toBe(1)
      state.add(late)
      state.changes()
    }
    expect([looks, state.counts().entries, state.counts().accepted]).toEqual([0, 2_100, 2_000])
  })

  it('does not count again what stands before a late entry', () => {
    const [a = '', b = ''] = accounts
    const state = new LedgerState(genesis)
    let last = rawEntry('0', a, transfer(0, b, 1n))
    state.add(last)
    const chain = [last]
    for (let i = 1; i < 5_000; i++) {
      last = rawEntry(String(i), a, { ...transfer(i, b, 1n) }, [last])
      chain.push(last)
      state.add(last)
    }
    state.changes()
    // Steps are counted by what is touched: outcomes before the late entry are not even assigned again.
    const before = [...state.entries()]
    const touched: number[] = []
    for (const [i, entry] of before.entries()) {
      let { outcome } = entry
      Object.defineProperty(entry, 'outcome', {
        configurable: true,
        get: () => outcome,
        set: (value) => {
          touched.push(i)
          outcome = value
        }
      })
    }
    state.add(rawEntry('late', b, transfer(0, a, 1n), [chain[4_900] as RawEntry]))
    state.changes()
    expect(Math.min(...touched)).toBeGreaterThanOrEqual(4_901)
    expect(touched.length).toBeLessThanOrEqual(99)
  })
})
