import { seededRandom } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { LineTails } from '../src/state/line-tails.ts'
import type { Line } from '../src/state/rows.ts'

function lineOf(number: number): Line {
  return { own: false, balance: BigInt(number), next: 0, amount: 1n, counts: true }
}

function keyOf(number: number): string {
  return String(number).padStart(6, '0')
}

test('what is kept of an account is what the store has, whatever comes in which order', () => {
  const random = seededRandom(7)
  const below = (limit: number): number => Math.floor(random() * limit)
  const tails = new LineTails()
  const stored = new Map<string, Line>()
  const known = { before: 0, from: 0 }
  for (let i = 0; i < 4_000; i++) {
    // Most come last or nearly last, some far earlier, and some replace another one.
    const key = keyOf(Math.max(0, 10 * i - (i % 17 === 0 ? below(40_000) : below(300))))
    const line = lineOf(i)
    const keys = [...stored.keys()]
    tails.put('a', key, line, { isFirst: keys.length === 0, isLast: keys.every((one) => one < key) })
    stored.set(key, line)
    if (i % 10 !== 0) continue
    const sorted = [...stored].sort(([a], [b]) => (a < b ? -1 : 1))
    const asked = keyOf(Math.max(0, 10 * i - below(900)))
    const before = tails.before('a', asked)
    if (before !== 'unknown') {
      known.before++
      expect(before).toEqual(sorted.findLast(([one]) => one < asked)?.[1])
    }
    const from = tails.from('a', asked, 16)
    if (from === undefined) continue
    known.from++
    expect(from).toEqual(sorted.filter(([one]) => one >= asked).slice(0, 16))
  }
  expect(known.before).toBeGreaterThan(100)
  expect(known.from).toBeGreaterThan(100)
})

test('of an account that was not seen from its first line on, only what came since is known', () => {
  const tails = new LineTails()
  expect(tails.before('a', keyOf(5))).toBe('unknown')
  tails.put('a', keyOf(3), lineOf(3), { isFirst: false, isLast: false })
  expect(tails.from('a', keyOf(3), 1)).toBeUndefined()
  tails.put('a', keyOf(5), lineOf(5), { isFirst: false, isLast: true })
  expect(tails.before('a', keyOf(5))).toBe('unknown')
  expect(tails.before('a', keyOf(6))).toEqual(lineOf(5))
  expect(tails.from('a', keyOf(4), 1)).toBeUndefined()
  expect(tails.from('a', keyOf(5), 1)).toEqual([[keyOf(5), lineOf(5)]])
  tails.put('b', keyOf(1), lineOf(1), { isFirst: true, isLast: true })
  expect(tails.before('b', keyOf(1))).toBeUndefined()
})
