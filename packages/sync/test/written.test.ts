import { expect, test } from 'vitest'
import { createMemoryNetwork } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import type { Written } from '../src/index.ts'
import { bytesOf, collect, member, memoryDatabase } from './support/peers.ts'

function textsOf(written: readonly Written[]): string[] {
  return written.map(({ entry }) => new TextDecoder().decode(entry.payload))
}

test('entries come in the order in which they were written to the store, from any place on', async () => {
  const network = createMemoryNetwork()
  await using first = await member(network)
  for (let i = 0; i < 300; i++) await first.view.append(bytesOf(`${i}`))
  await using second = await member(network, { store: memoryDatabase() })
  await until('all entries', () => second.view.count === 300)
  // The chain of the first is behind this one in canonical order, and before it in the order of writing.
  await second.view.append(bytesOf('late'), { parents: [] })
  await until('the late one', () => first.view.count === 301)
  const all = await collect(first.view.written())
  expect(all.map(({ place }) => place)).toEqual(Array.from({ length: 301 }, (_, i) => i + 1))
  expect(textsOf(all)).toEqual([...Array.from({ length: 300 }, (_, i) => `${i}`), 'late'])
  expect(new Set(all.map(({ entry }) => entry.cid.toString())).size).toBe(301)
  expect(textsOf(await collect(first.view.written({ after: 299 })))).toEqual(['299', 'late'])
  expect(textsOf(await collect(first.view.written({ after: 10, limit: 2 })))).toEqual(['10', '11'])
  expect(await collect(first.view.written({ after: 301 }))).toEqual([])
  expect(first.view.store).not.toBe(second.view.store)
})

test('a store keeps its name', async () => {
  const database = memoryDatabase()
  const network = createMemoryNetwork()
  const named = async (): Promise<string> => {
    await using one = await member(network, { store: database })
    return one.view.store
  }
  const name = await named()
  expect(name).toMatch(/^[0-9a-f]{16}$/)
  expect(await named()).toBe(name)
})

test('a place that is none is refused', async () => {
  await using one = await member(createMemoryNetwork())
  for (const after of [-1, 1.5, NaN]) {
    await expect(collect(one.view.written({ after }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  }
})

test('entries that were written together are read from any place among them', async () => {
  await using one = await member(createMemoryNetwork())
  const texts = Array.from({ length: 700 }, (_, i) => `${i}`)
  await Promise.all(texts.map((text) => one.view.append(bytesOf(text))))
  expect(textsOf(await collect(one.view.written()))).toEqual(texts)
  for (const [after, limit] of [
    [255, 3],
    [256, 1],
    [300, 257],
    [699, 5]
  ] as const) {
    const some = await collect(one.view.written({ after, limit }))
    expect(some.map(({ place }) => place)).toEqual(texts.slice(after, after + limit).map((_, i) => after + i + 1))
    expect(textsOf(some)).toEqual(texts.slice(after, after + limit))
  }
})
