import { createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { isP2plError } from '@p2pl/core'
import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { openView, readView } from '../src/index.ts'
import type { View } from '../src/index.ts'
import { tableEnd, tableStart } from '../src/store/keys.ts'
import { bytesOf, collect, member, memoryDatabase } from './support/peers.ts'
import type { Member, TestDatabase } from './support/peers.ts'

const raw = { keyEncoding: 'view', valueEncoding: 'view' } as const
const entries = 300

/** Flips one bit in the value of the n-th row between two keys. */
async function flip(database: TestDatabase, gte: Uint8Array, lt: Uint8Array, n: number, at: number): Promise<void> {
  const rows = await database.iterator<Uint8Array, Uint8Array>({ gte, lt, ...raw }).all()
  const [key, value] = rows[n] as [Uint8Array, Uint8Array]
  const damaged = new Uint8Array(value)
  damaged[at]! ^= 1
  await database.put(key, damaged, raw)
}

async function flipEntry(database: TestDatabase, n: number): Promise<void> {
  await flip(database, tableStart('entry'), tableEnd('entry'), n, 60)
}

async function copyOf(database: TestDatabase): Promise<TestDatabase> {
  const copy = memoryDatabase()
  const rows = await database.iterator<Uint8Array, Uint8Array>(raw).all()
  await copy.batch(
    rows.map(([key, value]) => ({ type: 'put' as const, key, value })),
    raw
  )
  return copy
}

/** A view with some entries, stopped, and what it has stored. */
async function written(): Promise<{ database: TestDatabase; cids: string[] }> {
  const one = await member(createMemoryNetwork())
  await Promise.all(Array.from({ length: entries }, async (_, i) => await one.view.append(bytesOf(`entry ${i}`))))
  await one.view.digest()
  const cids = (await collect(one.view.entries())).map(({ cid }) => cid.toString())
  await one[Symbol.asyncDispose]()
  return { database: one.database, cids }
}

async function readsWhole(view: View, one: Member): Promise<number> {
  const { root } = await view.publishDigest()
  const source = { topic: 'test', getBlock: async (cid: typeof root) => await one.peer.blocks.get(cid) }
  return (await collect(readView(root, source))).length
}

test('a damaged entry is named by every call that needs it, and nothing else stops', async () => {
  const { database, cids } = await written()
  await flipEntry(database, 120)
  await using one = await member(createMemoryNetwork(), { store: database, beaconPeriod: 20 })
  const { view } = one
  const named = { code: 'STORAGE', message: expect.stringContaining(cids[120]!) as string }
  await expect(collect(view.entries())).rejects.toMatchObject(named)
  await expect(view.publishDigest()).rejects.toMatchObject(named)
  expect(view.status().damaged.map(String)).toEqual([cids[120]])
  expect(one.events.filter(({ type }) => type === 'damaged')).toHaveLength(1)
  const before = one.peer.topic('test').stats().published
  await view.append(bytesOf('goes on'))
  expect(view.count).toBe(entries + 1)
  await until('another beacon', () => one.peer.topic('test').stats().published > before)
})

test('a damaged entry is fetched from a peer that has the view, and stored over it', async () => {
  const { database, cids } = await written()
  const damaged = await copyOf(database)
  for (const n of [0, 120, entries - 1]) await flipEntry(damaged, n)
  const network = createMemoryNetwork()
  await using healthy = await member(network, { store: database })
  await using one = await member(network, { store: damaged })
  await healthy.view.publishDigest()
  expect((await collect(one.view.entries())).map(({ cid }) => cid.toString())).toEqual(cids)
  expect(one.view.status().damaged).toEqual([])
  expect(await readsWhole(one.view, one)).toBe(entries)
  await one.view.stop()
  // It is whole on the disk as well.
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  const again = await openView({ peer, topic: 'test', store: damaged })
  expect(await collect(again.entries())).toHaveLength(entries)
  await again.stop()
  await peer.stop()
})

test('an import of a copy mends a damaged entry', async () => {
  const { database } = await written()
  const damaged = await copyOf(database)
  await flipEntry(damaged, 7)
  await using healthy = await member(createMemoryNetwork(), { store: database })
  await using one = await member(createMemoryNetwork(), { store: damaged, beaconPeriod: 20 })
  await expect(collect(one.view.entries())).rejects.toSatisfy((error) => isP2plError(error, 'STORAGE'))
  const blocks: { cid: Awaited<ReturnType<View['digest']>>['root']; bytes: Uint8Array }[] = []
  const { root } = await healthy.view.publishDigest()
  const getBlock = async (cid: typeof root): Promise<Uint8Array> => {
    const bytes = await healthy.peer.blocks.get(cid)
    blocks.push({ cid, bytes })
    return bytes
  }
  await collect(readView(root, { topic: 'test', getBlock }))
  async function* source() {
    yield* blocks
  }
  await one.view.import(source())
  expect(one.view.status().damaged).toEqual([])
  expect(await collect(one.view.entries())).toHaveLength(entries)
})

test('what is appended beside a damaged entry converges all the same', async () => {
  const { database } = await written()
  const damaged = await copyOf(database)
  // In the last leaf, which each append makes again.
  await flipEntry(damaged, entries - 1)
  const network = createMemoryNetwork()
  await using healthy = await member(network, { store: database })
  await using one = await member(network, { store: damaged })
  await one.view.append(bytesOf('beside'))
  await until('the entry at the other peer', () => healthy.view.count === entries + 1)
  await until('the mended entry', () => one.view.status().damaged.length === 0)
  await Promise.all([one.view.agreed(), healthy.view.agreed()])
})
