import { createPeer } from '@p2pl/core'
import { createSimulator } from '@p2pl/simulator'
import { seededBytes } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { maxHeld, Payloads } from '../../src/history/payloads.ts'
import type { Held } from '../../src/history/payloads.ts'

const size = 70_000

test('a reader that stands still holds a few payloads in memory, and gives up none of the others', async () => {
  const simulator = createSimulator({ seed: 1 })
  const ann = await simulator.complete(createPeer(simulator.host('ann').boot()))
  const ben = await simulator.complete(createPeer(simulator.host('ben').boot()))
  const payloads = new Payloads(ben, size, () => [])
  const held: Held[] = []
  const count = maxHeld + 5
  const fetches = Array.from({ length: count }, async (_, i) => {
    const { cid } = await ann.data.add(seededBytes(size, i))
    held.push(await payloads.fetch({ cid, size }, 60_000, undefined))
  })
  await simulator.run({ for: 3_600_000 })
  expect(held).toHaveLength(maxHeld)
  for (let taken = 0; taken < 5; taken++) {
    held[taken]!.release()
    await simulator.run({ for: 1000 })
    expect(held).toHaveLength(maxHeld + taken + 1)
  }
  await simulator.complete(Promise.all(fetches))
})

test('payloads that nobody has take no place from one that somebody has', async () => {
  const simulator = createSimulator({ seed: 1 })
  const ann = await simulator.complete(createPeer(simulator.host('ann').boot()))
  const ben = await simulator.complete(createPeer(simulator.host('ben').boot()))
  const mallory = simulator.stranger('mallory')
  mallory.serve(() => 'silence')
  const payloads = new Payloads(ben, size, () => [])
  const outcomes: unknown[] = []
  for (let i = 0; i < 200; i++) {
    const { cid } = await simulator.complete(ann.data.add(seededBytes(size, 1 + i)))
    await ann.data.unpin(cid)
    await ann.blocks.delete(cid)
    payloads.fetch({ cid, size }, 30_000, undefined).catch((error: unknown) => outcomes.push(error))
  }
  const { cid } = await simulator.complete(ann.data.add(seededBytes(size, 0)))
  const before = simulator.now
  await simulator.complete(payloads.fetch({ cid, size }, 30_000, undefined))
  expect(simulator.now - before).toBeLessThan(5_000)
  await simulator.run({ for: 60_000 })
  expect(outcomes).toHaveLength(200)
  for (const error of outcomes) expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true })
})
