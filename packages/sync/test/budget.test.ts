import { expect, test } from 'vitest'
import { Budget } from '../src/budget/budget.ts'
import { FairSlots } from '../src/budget/slots.ts'
import { Standings } from '../src/budget/standings.ts'

const isKnown = (sender: string): boolean => sender.startsWith('known')

test('no sender takes more than its share, and strangers leave a part to known senders', () => {
  const budget = new Budget({ total: 100, each: 30, strangers: 60, isKnown })
  const giveBack = budget.take('stranger 1', 30)
  expect(giveBack).toBeDefined()
  expect(budget.take('stranger 1', 1)).toBeUndefined()
  expect(budget.take('stranger 2', 30)).toBeDefined()
  expect(budget.take('stranger 3', 1)).toBeUndefined()
  expect(budget.take('known 1', 30)).toBeDefined()
  expect(budget.take('known 2', 10)).toBeDefined()
  expect(budget.take('known 3', 1)).toBeUndefined()
  giveBack?.()
  giveBack?.()
  expect(budget.used).toBe(70)
  expect(budget.take('stranger 3', 30)).toBeDefined()
})

test('a rate comes back by itself, evenly', () => {
  let now = 0
  const budget = new Budget({ total: 100, each: 50, strangers: 100, isKnown, refill: { ms: 1000, now: () => now } })
  expect(budget.take('a', 50)).toBeDefined()
  expect(budget.take('a', 1)).toBeUndefined()
  now = 500
  expect(budget.take('a', 25)).toBeDefined()
  expect(budget.take('a', 1)).toBeUndefined()
  expect(budget.take('b', 50)).toBeDefined()
  now = 10_000
  expect(budget.used).toBe(0)
})

test('senders that wait take turns, and known ones every second turn', async () => {
  const slots = new FairSlots(1, isKnown)
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const work = [slots.run('stranger 1', async () => await first.promise)]
  for (const sender of ['stranger 1', 'stranger 1', 'stranger 2', 'known 1', 'known 1', 'known 2']) {
    work.push(
      slots.run(sender, async () => {
        order.push(sender)
      })
    )
  }
  first.resolve()
  await Promise.all(work)
  expect(order).toEqual(['known 1', 'stranger 1', 'known 2', 'stranger 2', 'known 1', 'stranger 1'])
})

test('a slot whose work fails is free again', async () => {
  const slots = new FairSlots(1, isKnown)
  await expect(slots.run('a', async () => await Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(await slots.run('a', async () => 1)).toBe(1)
})

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
