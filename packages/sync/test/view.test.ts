import { expect, test } from 'vitest'
import { readView } from '../src/index.ts'
import { bytesOf, collect, member, members } from './support/peers.ts'
import { createMemoryNetwork } from '@p2pl/memory'

test('two peers reach the same digest and hold the same entries in the same order', async () => {
  const [a, b] = await members(2)
  await using first = a!
  await using second = b!
  for (let i = 0; i < 10; i++) await first.view.append(bytesOf(`a${i}`))
  await second.view.append(bytesOf('b'))
  await Promise.all([first.view.agreed(), second.view.agreed()])
  expect(await first.view.digest()).toEqual(await second.view.digest())
  expect(first.view.count).toBe(11)
  expect(await collect(first.view.entries())).toEqual(await collect(second.view.entries()))
})

test('a peer that comes later gets everything without another write', async () => {
  const network = createMemoryNetwork()
  await using early = await member(network)
  await Promise.all(Array.from({ length: 500 }, async (_, i) => await early.view.append(bytesOf(`entry ${i}`))))
  const digest = await early.view.publishDigest()
  await using late = await member(network)
  await early.view.agreed()
  expect(await late.view.digest()).toEqual(digest)
  const read = await collect(
    readView(digest.root, { topic: 'test', getBlock: async (cid) => await late.peer.blocks.get(cid) })
  )
  expect(read).toEqual(await collect(late.view.entries()))
  expect(read.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(
    Array.from({ length: 500 }, (_, i) => `entry ${i}`)
  )
})
