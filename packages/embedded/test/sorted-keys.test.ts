import { seededRandom } from '@p2pl/tooling-vitest'
import { expect, it, vi } from 'vitest'
import { SortedKeys } from '../src/store/sorted-keys.ts'

it('keeps the order of keys that come and go, and finds those with a prefix', () => {
  const random = seededRandom(1)
  const number = (most: number): number => Math.floor(random() * most)
  const keys = new SortedKeys()
  const model = new Set<string>()
  for (let round = 0; round < 30_000; round++) {
    const key = number(20_000).toString(16)
    // It grows to thousands of keys, and then shrinks until few are left.
    if (number(100) < (round < 15_000 ? 20 : 85)) {
      keys.delete(key)
      model.delete(key)
    } else {
      keys.add(key)
      model.add(key)
    }
    if (round % 500 !== 0) continue
    for (const prefix of ['', '1', '4f', 'fff', key, '~'])
      expect(keys.withPrefix(prefix)).toEqual([...model].filter((one) => one.startsWith(prefix)).toSorted())
  }
  for (const key of model) keys.delete(key)
  expect(keys.withPrefix('')).toEqual([])
})

it('looks at no key in vain to find those with a prefix', () => {
  const keys = new SortedKeys()
  for (let i = 0; i < 20_000; i++) keys.add(`${i % 100}/${i}`)
  const looks = vi.spyOn(String.prototype, 'startsWith')
  try {
    expect(keys.withPrefix('42/')).toHaveLength(200)
    expect(looks).toHaveBeenCalledTimes(201)
  } finally {
    looks.mockRestore()
  }
})
