import type { Digest } from '@p2pl/sync'
import { expect, it } from 'vitest'
import { cborCid } from '../src/cbor-cid.ts'
import { Follower } from '../src/node/follower.ts'
import { momentOf } from '../src/node/moment.ts'
import { balancesCid } from '../src/rules/tally.ts'
import type { RawEntry } from '../src/state/entry-reader.ts'
import { accountIds, genesisOf, rawEntry, TestState } from './support.ts'

const [a = '', b = ''] = await accountIds(2)
const { genesis } = genesisOf([[a, 10n]], [a])

function transfer(sequence: number, amount: bigint, parents: readonly RawEntry[] = []): RawEntry {
  return rawEntry(`${sequence}: ${amount}`, a, { type: 'transfer', sequence, to: b, amount }, parents)
}

/** A ledger node without a network. It receives and counts an entry after each of the first digests. */
async function nodeWith(late: RawEntry[]) {
  const { state, entries } = await TestState.open(genesis)
  const view = {
    get count() {
      return entries.all.length
    },
    written: (options: Parameters<typeof entries.written>[0]) => entries.written(options),
    digest: async (): Promise<Digest> => {
      const { count } = view
      entries.all.push(...late.splice(0, 1))
      await follower.caughtUp()
      return { root: cborCid(Uint8Array.of(count)), count }
    }
  }
  const follower = new Follower({ view, state, onEntries: () => {}, onChanges: () => {} })
  return { follower, view, state }
}

it('is of the same entries, though some come after the digest', async () => {
  const node = await nodeWith([transfer(0, 1n), transfer(1, 2n)])
  expect(await momentOf(node)).toEqual({
    root: cborCid(Uint8Array.of(2)),
    count: 2,
    entries: 2,
    accepted: 2,
    rejected: 0,
    balances: balancesCid(await node.state.balances())
  })
})

it('comes to an end while entries keep coming', async () => {
  const { entries, count } = await momentOf(await nodeWith(Array.from({ length: 100 }, (_, i) => transfer(i, 1n))))
  expect(entries).toBeLessThan(100)
  expect(count).toBeLessThanOrEqual(entries)
})

it('waits until each entry has had its effect', async () => {
  const state = await TestState.open(genesis)
  const first = transfer(0, 10n)
  await state.add(first, transfer(1, 1n, [first]))
  // It comes before both, so they must be judged again.
  await state.take(transfer(0, 9n))
  expect(state.state.settled).toBe(false)
  expect(await state.state.summary()).toBeUndefined()
  await state.add()
  expect(await state.state.summary()).toMatchObject({ entries: 3 })
})
