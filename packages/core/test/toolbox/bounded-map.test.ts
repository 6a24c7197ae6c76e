import { afterEach, describe, expect, it, vi } from 'vitest'
import { BoundedMap } from '../../src/toolbox/bounded-map.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Whole numbers below `below`, the same ones in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

describe('a bounded map', () => {
  it.each([0, 1, 3, 40])('of %d entries forgets the one set or touched longest ago, whatever was deleted', (limit) => {
    const next = numbers(limit + 1)
    const forgotten: number[] = []
    const map = new BoundedMap<number, number>(limit, (key) => forgotten.push(key))
    const model: number[] = []
    const expected: number[] = []
    const leave = (key: number): void => {
      if (model.includes(key)) model.splice(model.indexOf(key), 1)
    }
    for (let i = 0; i < 20_000; i++) {
      const key = next(3 * limit + 2)
      const action = next(1_000)
      if (action === 0) {
        map.clear()
        model.length = 0
      } else if (action < 200) {
        map.delete(key)
        leave(key)
      } else if (action < 400) {
        if (map.touch(key) !== undefined) {
          leave(key)
          model.push(key)
        }
      } else {
        map.set(key, i)
        leave(key)
        model.push(key)
        if (model.length > limit) expected.push(model.shift() as number)
      }
    }
    expect([...map.keys()]).toEqual(model)
    expect(forgotten).toEqual(expected)
  })

  it('looks for the oldest entry where the last one stood, not behind all that were forgotten', () => {
    const map = new BoundedMap<number, number>(1_000)
    // Each new iterator begins at the first of the holes that deleted entries leave.
    const entries = vi.spyOn(Map.prototype, 'entries')
    const iterator = vi.spyOn(Map.prototype, Symbol.iterator)
    for (let i = 0; i < 20_000; i++) map.set(i, i)
    const made = entries.mock.calls.length + iterator.mock.calls.length
    vi.restoreAllMocks()
    expect(map.size).toBe(1_000)
    expect(made).toBeLessThanOrEqual(20)
  })
})
