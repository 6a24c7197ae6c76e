import { expect, it, vi } from 'vitest'
import { Follower } from '../src/node/follower.ts'
import type { RawEntry } from '../src/state/entry-reader.ts'
import { accountIds, genesisOf, RawEntries, rawEntry, TestState } from './support.ts'

const [a = '', b = ''] = await accountIds(2)
const { genesis } = genesisOf([[a, 1_000_000n]], [a])

/** A view that grows when the test says so, and its follower. */
async function following(onEntries: (entries: readonly RawEntry[]) => void | Promise<void> = () => {}) {
  const entries = new RawEntries()
  const { state } = await TestState.open(genesis, entries)
  const view = {
    get count() {
      return entries.all.length
    },
    written: (options: Parameters<RawEntries['written']>[0]) => entries.written(options)
  }
  const append = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const sequence = entries.all.length
      entries.all.push(
        rawEntry(`${sequence}`, a, { type: 'transfer', sequence, to: b, amount: 1n }, entries.all.slice(-1))
      )
    }
  }
  return { follower: new Follower({ view, state, onEntries, onChanges: () => {} }), state, entries, append }
}

it('counts all that was there when it was asked, though more is coming', async () => {
  const { follower, state, append } = await following(() => {
    if (state.place < 700) append(1)
  })
  append(600)
  await follower.caughtUp()
  expect(state.place).toBeGreaterThanOrEqual(600)
  // A caller that asks at the very moment when a run ends is not forgotten.
  for (let i = 0; i < 50; i++) {
    append(1)
    const asked = follower.caughtUp()
    for (let turn = 0; turn < i; turn++) await Promise.resolve()
    append(1)
    const [, later] = await Promise.all([asked, follower.caughtUp().then(() => state.place)])
    expect(later).toBe(state.place)
    expect(state.counts().accepted).toBe(state.place)
  }
})

it('tells those who wait why an entry cannot be read, and goes on when it can', async () => {
  const { follower, state, entries, append } = await following()
  append(10)
  vi.spyOn(entries, 'written').mockImplementationOnce(() => {
    throw new Error('damaged')
  })
  await expect(follower.caughtUp()).rejects.toThrow('damaged')
  await follower.caughtUp()
  expect(state.place).toBe(10)
})

it('lets nobody wait for one that was stopped', async () => {
  const gate = Promise.withResolvers<void>()
  const { follower, state, append } = await following(() => gate.promise)
  append(600)
  const waiting = follower.caughtUp()
  const stopping = follower.stop()
  gate.resolve()
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await stopping
  expect(state.place).toBeLessThan(600)
  await expect(follower.caughtUp()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
