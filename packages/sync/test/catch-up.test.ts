import { createPeer } from '@p2pl/core'
import { createSimulator } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import { openView, readView } from '../src/index.ts'
import type { View } from '../src/index.ts'
import { bytesOf, collect, memoryDatabase } from './support/peers.ts'

const topic = 'notes'
const beaconPeriod = 2000
const count = 4000

test('a peer that joins asks for each node of the index once', async () => {
  // The walk goes on after its sender, a stranger at first, has become known by what it gave.
  const simulator = createSimulator({ seed: 1, latency: { min: 30, max: 60 } })
  const booted = simulator.host('writer').boot()
  const peer = await createPeer(booted)
  const writer = await openView({ peer, topic, store: memoryDatabase(), beaconPeriod })
  await simulator.complete(Promise.all(Array.from({ length: count }, (_, i) => writer.append(bytesOf(`entry ${i}`)))))
  const { root } = await simulator.complete(writer.publishDigest())
  let nodes = 0
  const source: Parameters<typeof readView>[1] = {
    topic,
    cryptography: booted.environment.cryptography,
    getBlock: async (cid) => {
      nodes++
      return await peer.blocks.get(cid, { local: true })
    }
  }
  const entries = await simulator.complete(collect(readView(root, source)))
  expect(entries.length).toBe(count)

  const joining = await createPeer(simulator.host('joiner').boot())
  const joiner = await simulator.complete(openView({ peer: joining, topic, store: memoryDatabase(), beaconPeriod }))
  expect(await simulator.runUntil(() => joiner.count === count, { limit: 10 * beaconPeriod })).toBe(true)
  await simulator.run({ for: 5 * beaconPeriod })
  expect(simulator.traffic(['joiner']).requests).toBe(nodes)
})

test('a peer that was away for 100 entries fetches one path of the index and the leaves at its end', async () => {
  const simulator = createSimulator({ seed: 2, latency: { min: 30, max: 60 } })
  const open = async (id: string): Promise<View> => {
    const peer = await createPeer(simulator.host(id).boot())
    return await simulator.complete(openView({ peer, topic, store: memoryDatabase(), beaconPeriod }))
  }
  const here = await open('here')
  const away = await open('away')
  const append = async (entries: number): Promise<void> => {
    await simulator.complete(Promise.all(Array.from({ length: entries }, (_, i) => here.append(bytesOf(`${i}`)))))
  }
  await append(count)
  expect(await simulator.runUntil(() => away.count === count, { limit: 10 * beaconPeriod })).toBe(true)
  await simulator.run({ for: 5 * beaconPeriod })
  simulator.partition(['here'], ['away'])
  await append(100)
  await simulator.run({ for: beaconPeriod })
  const before = simulator.traffic(['away']).requests
  simulator.heal()
  expect(await simulator.runUntil(() => away.count === count + 100, { limit: 10 * beaconPeriod })).toBe(true)
  // Three levels here, and one more for each 64 times as many entries: five for a million. Some leaves are half as large as others.
  expect(simulator.traffic(['away']).requests - before).toBeLessThanOrEqual(12)
})
