import type { Block } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Wants } from '../src/engine/bulk/wants.ts'
import { provider, wanted } from './bulk.ts'
import { blockOf, same, textBlock } from './helper.ts'

let blocks: Block[] = []
beforeAll(async () => {
  blocks = await Promise.all(Array.from({ length: 64 }, (_, i) => blockOf(seededBytes(20_000, i))))
})

let wants = new Wants(() => false)
afterEach(() => {
  wants.close()
  wants = new Wants(() => false)
})

async function all(): Promise<void> {
  const got = await Promise.all(blocks.map((block) => wanted(wants, block).bytes))
  expect(got.every((bytes, i) => same(bytes, (blocks[i] as Block).bytes))).toBe(true)
}

test('each block moves once, though several peers have it, and they share the work', async () => {
  const [a, b] = [provider(wants, 'a', blocks), provider(wants, 'b', blocks)]
  await all()
  expect(a.store.reads + b.store.reads).toBe(blocks.length)
  expect(Math.min(a.store.reads, b.store.reads)).toBeGreaterThan(0)
})

test('another peer is asked at once for what one lacks', async () => {
  const half = blocks.slice(0, 32)
  provider(wants, 'a', half)
  provider(wants, 'b', blocks.slice(32))
  await all()
})

test('of many peers the one that has a block is found by one round of questions', async () => {
  const others = Array.from({ length: 12 }, (_, i) => provider(wants, `lacks ${i}`, []))
  const has = provider(wants, 'has', blocks)
  await all()
  expect(has.store.reads).toBe(blocks.length)
  for (const { store } of others) expect(store.reads).toBeLessThanOrEqual(blocks.length)
})

test('strangers are asked when all peers lack the block', async () => {
  const absent = await textBlock('absent')
  const none = wanted(wants, absent)
  await until('nobody', () => none.nobody > 0)
  provider(wants, 'a', [])
  provider(wants, 'b', [])
  const other = wanted(wants, await textBlock('absent, too'))
  await until('nobody has it', () => other.nobody > 0)
  // A peer that comes later is asked for what is still wanted.
  provider(wants, 'late', [absent])
  expect(same(await none.bytes, absent.bytes)).toBe(true)
})

test('strangers are not asked while a peer that has just connected may have the block', async () => {
  let newcomers = true
  wants = new Wants(() => newcomers)
  const one = wanted(wants, blocks[0] as Block)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(one.nobody).toBe(0)
  provider(wants, 'a', blocks)
  await one.bytes
  const absent = wanted(wants, await textBlock('absent'))
  newcomers = false
  await until('nobody', () => absent.nobody > 0)
})

test('a peer that stands still delays nobody: another one is asked for what it owes', async () => {
  const still = provider(wants, 'still', blocks)
  still.farPipe.standStill()
  const getting = all()
  await until('it is asked', () => still.link.size > 0)
  provider(wants, 'quick', blocks)
  await getting
  expect(still.link.size).toBe(0)
})

test('a peer whose channel ends while it stands still is asked again, by the next channel', async () => {
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const one = provider(wants, 'still', blocks)
    one.farPipe.standStill()
    const want = wanted(wants, blocks[0] as Block)
    await turns()
    vi.advanceTimersByTime(1_000)
    expect([one.link.size, one.link.stalled]).toEqual([1, true])
    one.nearPipe.abort(new Error('broken'))
    await turns()
    expect([one.link.size, one.link.stalled, want.nobody]).toEqual([0, false, 0])
  } finally {
    vi.useRealTimers()
  }
})

test('a slow peer loses its wants to a quick one', async () => {
  const slow = provider(wants, 'slow', blocks)
  const quick = provider(wants, 'quick', blocks)
  slow.farPipe.standStill()
  // A little now and then: it does not stall, it is slow.
  const drip = setInterval(() => {
    slow.farPipe.goOn()
    slow.farPipe.standStill()
  }, 100)
  try {
    await all()
  } finally {
    clearInterval(drip)
  }
  expect(quick.store.reads).toBeGreaterThan(blocks.length / 2)
})

test('what a peer owes when it leaves is asked of others', async () => {
  const leaves = provider(wants, 'leaves', blocks)
  leaves.farPipe.standStill()
  const getting = all()
  await until('it is asked', () => leaves.link.size > 0)
  provider(wants, 'stays', blocks)
  leaves.nearPipe.abort(new Error('gone'))
  wants.detach(leaves.link)
  await getting
})

test('a session with many wants delays another one by no more than what is under way', async () => {
  const many = await Promise.all(Array.from({ length: 1_500 }, (_, i) => textBlock(`many ${i}`)))
  provider(wants, 'a', [...many, ...blocks])
  const order: string[] = []
  const large = many.map((block) => wanted(wants, block, 'large').bytes.then(() => void order.push('large')))
  const small = blocks
    .slice(0, 8)
    .map((block) => wanted(wants, block, 'small').bytes.then(() => void order.push('small')))
  await Promise.all([...large, ...small])
  expect(order.lastIndexOf('small')).toBeLessThan(1_000)
})

test('a want that ends is told to the peer that was asked', async () => {
  const one = provider(wants, 'a', blocks)
  one.nearPipe.standStill()
  const made = blocks.map((block) => wanted(wants, block))
  await until('it is asked', () => one.link.size > 0)
  const asked = one.nearPipe.under
  for (const { want } of made) wants.end(want)
  await until('the end is told', () => one.nearPipe.under > asked)
  one.nearPipe.goOn()
  await until('all is told', () => one.nearPipe.under === 0)
  expect(one.link.size).toBe(0)
  expect(one.store.reads).toBe(0)
})
