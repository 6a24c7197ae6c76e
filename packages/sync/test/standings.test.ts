import { expect, test } from 'vitest'
import { Standings } from '../src/standings.ts'

test('a sender is known while it has given more than it wasted, and waste is forgiven', () => {
  let now = 0
  const standings = new Standings({ now: () => now, halfLife: 1000, maxGiven: 500, remembered: 10 })
  expect(standings.isKnown('a')).toBe(false)
  standings.gave('a', 300)
  expect(standings.isKnown('a')).toBe(true)
  standings.wasted('a', 400)
  expect(standings.isKnown('a')).toBe(false)
  expect(standings.weight('a')).toBeLessThan(1)
  now = 1000
  expect(standings.isKnown('a')).toBe(true)
  // However much it gave, it is not trusted with more than that.
  standings.gave('a', 1e9)
  standings.wasted('a', 600)
  expect(standings.isKnown('a')).toBe(false)
})

test('a flood of strangers makes nobody forget a sender that gave', () => {
  const standings = new Standings({ now: () => 0, halfLife: 1000, maxGiven: 500, remembered: 10 })
  standings.gave('known', 1)
  for (let i = 0; i < 1000; i++) standings.wasted(`stranger ${i}`, 1)
  expect(standings.isKnown('known')).toBe(true)
})
