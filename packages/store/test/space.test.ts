import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { folder, keyOf, openAt, put, remove, valueOf } from './support/store.ts'

function bytesIn(dir: string, except = 'nothing'): number {
  return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === except) return sum
    const path = join(dir, entry.name)
    // The database removes files in the background.
    return sum + (entry.isDirectory() ? bytesIn(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0))
  }, 0)
}

it('large values give their space back when they are removed', async () => {
  const dir = join(folder(), 'store')
  const store = await openAt(dir)
  for (let i = 0; i < 30; i++) await put(store, `b ${i}`, 1_000_000)
  expect(bytesIn(dir)).toBeGreaterThan(30_000_000)
  for (let i = 0; i < 30; i++) await remove(store, `b ${i}`)
  expect(bytesIn(dir)).toBeLessThan(2_500_000)
})

it('small values give their space back soon, in the background, and others stay', async () => {
  const dir = join(folder(), 'store')
  const store = await openAt(dir)
  const name = (i: number): string => `b ${String((i * 7_919) % 20_000).padStart(5, '0')}`
  for (let i = 0; i < 20_000; i += 100)
    await store.write(
      Array.from({ length: 100 }, (_, k) => ({
        type: 'put',
        key: keyOf(name(i + k)),
        value: valueOf(name(i + k), 2_000)
      }))
    )
  const full = bytesIn(dir, 'reserve')
  expect(full).toBeGreaterThan(40_000_000)
  const removed = Array.from({ length: 16_000 }, (_, i) => keyOf(name(i)))
  await store.write(removed.map((key) => ({ type: 'del', key })))
  store.reclaim(keyOf('b 00000'), keyOf('b 19999'), (await store.size(keyOf('b'), keyOf('c'))) * 0.8)
  await until('the space is back', () => bytesIn(dir, 'reserve') < full * 0.4)
  await store.idle()
  for (let i = 16_000; i < 20_000; i += 37) expect(await store.get(keyOf(name(i)))).toEqual(valueOf(name(i), 2_000))
})

it('a reserve grows with what is stored, up to a bound, and shrinks when the folder is opened again', async () => {
  const dir = join(folder(), 'store')
  const store = await openAt(dir)
  expect(bytesIn(join(dir, 'reserve'))).toBe(1_048_576)
  for (let i = 0; i < 300; i++) await put(store, `a ${i}`, 100_000)
  await store.idle()
  const grown = bytesIn(join(dir, 'reserve'))
  expect(grown).toBeGreaterThan(15_000_000)
  expect(grown).toBeLessThan(60_000_000)
  for (let i = 0; i < 300; i++) await remove(store, `a ${i}`)
  store.reclaim(keyOf('a'), keyOf('b'), 30_000_000)
  await store.idle()
  await store.close()
  await openAt(dir)
  expect(bytesIn(join(dir, 'reserve'))).toBeLessThan(grown / 2)
})
