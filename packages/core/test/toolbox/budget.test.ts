import { expect, test } from 'vitest'
import { Budget } from '../../src/toolbox/budget.ts'
import { FairSlots } from '../../src/toolbox/fair-slots.ts'

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

test('ends the wait of work whose signal fires, and gives its turn to the next', async () => {
  const slots = new FairSlots(1, () => true)
  const abort = new AbortController()
  let release = (): void => undefined
  const first = slots.run('a', () => new Promise<void>((resolve) => (release = resolve)))
  let begun = false
  const given = slots.run(
    'b',
    async () => {
      begun = true
    },
    abort.signal
  )
  const last = slots.run('b', async () => 'last')
  expect([slots.waiting, slots.free]).toEqual([2, false])
  abort.abort(new Error('given up'))
  await expect(given).rejects.toThrow('given up')
  expect(slots.waiting).toBe(1)
  release()
  await first
  expect([await last, begun, slots.free]).toEqual(['last', false, true])
})
