import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { openView, type View, type Written } from '@p2pl/sync'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { encodePayload } from '../src/rules/payload.ts'
import type { RawEntry } from '../src/state/entry-reader.ts'
import { LedgerState } from '../src/state/ledger-state.ts'
import { accountIds, genesisOf, RawEntries, rawEntry, TestState } from './support.ts'

const folder = temporaryFolder()
const [a = '', b = ''] = await accountIds(2)
const { genesis } = genesisOf([[a, 1_000_000n]], [a])

function chainOf(length: number, name = ''): RawEntry[] {
  const chain: RawEntry[] = []
  for (let i = 0; i < length; i++)
    chain.push(rawEntry(`${name}${i}`, a, { type: 'transfer', sequence: i, to: b, amount: 1n }, chain.slice(-1)))
  return chain
}

/** The complete derived data. */
async function resultOf({ state }: TestState): Promise<unknown> {
  return [state.place, await state.balances(), await state.summary()]
}

/** A closed state in a separate folder that has counted these entries. */
async function closedState(name: string, entries: readonly RawEntry[]): Promise<{ path: string; entries: RawEntries }> {
  const path = join(folder, name)
  const state = await TestState.open(genesis, new RawEntries(), path)
  await state.add(...entries)
  await state.state.close()
  return { path, entries: state.entries }
}

describe('the folder of a state', () => {
  it('is opened without reading the entries again, however many there are', async () => {
    for (const length of [50, 1_000]) {
      const { path, entries } = await closedState(`reads ${length}`, chainOf(length))
      entries.reads = 0
      const state = await TestState.open(genesis, entries, path)
      // A single read shows that the place belongs to the same order.
      expect([state.state.place, entries.reads]).toEqual([length, 1])
      await state.state.close()
    }
  })

  it('goes on where the process was killed between an entry and what follows from it', async () => {
    const chain = chainOf(900)
    const { path, entries } = await closedState('behind', chain.slice(0, 300))
    entries.all.push(...chain.slice(300))
    entries.reads = 0
    const state = await TestState.open(genesis, entries, path)
    await state.add()
    expect(entries.reads).toBeLessThan(605)
    const whole = await TestState.open(genesis)
    await whole.add(...chain)
    expect(await resultOf(state)).toEqual(await resultOf(whole))
    await state.state.close()
  })

  it('is filled anew where it does not belong to the entries: those of another store, or an older copy that went on otherwise', async () => {
    const chain = chainOf(40)
    const others = {
      'another store': new RawEntries('another'),
      'another order': new RawEntries(),
      'an older copy': new RawEntries()
    }
    others['another store'].all.push(...chain)
    others['another order'].all.push(...chainOf(50, 'other '))
    others['an older copy'].all.push(...chain.slice(0, 20))
    for (const [name, entries] of Object.entries(others)) {
      const { path } = await closedState(name, chain)
      const state = await TestState.open(genesis, entries, path)
      expect(state.state.place, name).toBe(0)
      await state.add()
      const whole = await TestState.open(genesis, entries)
      await whole.add()
      expect(await resultOf(state), name).toEqual(await resultOf(whole))
      await state.state.close()
    }
  })

  it('is filled anew where it is damaged or removed', async () => {
    const chain = chainOf(300)
    const harms = {
      damaged: async (path: string) => {
        for (const file of await readdir(path))
          if (/\.(ldb|log)$/.test(file)) await writeFile(join(path, file), 'x'.repeat(500))
      },
      removed: async (path: string) => await rm(path, { recursive: true }),
      'of something else': async (path: string) => {
        await rm(path, { recursive: true })
        await cp((await closedView()).store, path, { recursive: true })
      }
    }
    for (const [name, harm] of Object.entries(harms)) {
      const { path, entries } = await closedState(name, chain)
      await harm(path)
      const state = await TestState.open(genesis, entries, path)
      expect(state.state.place, name).toBe(0)
      await state.add()
      expect(state.state.counts().accepted, name).toBe(300)
      await state.state.close()
    }
  })
})

/** The folder of a view. */
async function closedView(): Promise<{ store: string; view: View }> {
  const store = join(folder, 'view')
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  const view = await openView({ peer, topic: 'some', store })
  await view.append(encodePayload({ type: 'transfer', sequence: 0, to: b, amount: 1n }))
  await view.stop()
  await peer.stop()
  return { store, view }
}

/** A chain too long to be in memory. */
class EndlessChain extends RawEntries {
  #last: RawEntry | undefined

  override async *written({ after = 0, limit = 0 }: Parameters<View['written']>[0] = {}): AsyncGenerator<Written> {
    for (let i = after; i < after + limit; i++) {
      const payload = { type: 'transfer', sequence: i, to: b, amount: 1n } as const
      const entry = rawEntry(`endless ${i}`, a, payload, this.#last === undefined ? [] : [this.#last])
      this.#last = entry
      yield { place: i + 1, entry: entry as Written['entry'] }
    }
  }
}

it('does not hold the entries in memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const entries = new EndlessChain()
  const state = await LedgerState.open({ location: join(folder, 'endless'), genesis, entries })
  const grow = async (to: number): Promise<number> => {
    while (state.place < to) {
      const batch: Written[] = []
      for await (const one of entries.written({ after: state.place, limit: 256 })) batch.push(one)
      await state.add(batch)
    }
    return used()
  }
  // The memory for recent entries is full by now.
  const before = await grow(18_000)
  const after = await grow(28_000)
  expect((after - before) / 10_000).toBeLessThan(60)
  expect(state.counts().accepted).toBe(state.place)
  await state.close()
}, 300_000)
