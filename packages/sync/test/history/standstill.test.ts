import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { forSeeds } from '../support/seeds.ts'
import { Group, largePayload } from './group.ts'
import type { Node } from './group.ts'

const beaconPeriod = 1000
/** Milliseconds: several trips of at most 60 ms, and the moment that a missing parent is waited for. */
const soon = 500

async function begin(seed: number): Promise<Group> {
  const group = new Group({ seed, early: 5, late: 0, beaconPeriod, discovery: seed % 2 === 0 ? 'known' : 'anyone' })
  await group.simulator.complete(group.add(5))
  for (const node of group.nodes) group.publish(node)
  await group.simulator.run({ for: 3 * beaconPeriod })
  return group
}

/** Publishes and expects that each of the others gets it soon. */
async function expectSoon(group: Group, from: Node, to: readonly Node[], bytes?: number): Promise<void> {
  const { simulator } = group
  const published = simulator.complete(from.topic!.publish(new Uint8Array(bytes ?? 10)))
  const { id } = await published
  const everywhere = await simulator.runUntil(() => to.every(({ got }) => got.some((message) => message.id === id)), {
    limit: soon,
    every: 5
  })
  expect(everywhere).toBe(true)
}

test('a peer that stands still delays nobody', async () => {
  await forSeeds('a peer that stands still', { seeds: 20, short: 8 }, async (seed) => {
    const group = await begin(seed)
    const [still, ...others] = group.nodes as [Node, Node, ...Node[]]
    still.host.slowness = 1e5
    for (const from of others) await expectSoon(group, from, others)
  })
})

test('a message that only one other peer has got before its sender crashed comes with what that peer says next', async () => {
  await forSeeds('a sender that crashes', { seeds: 20, short: 8 }, async (seed) => {
    const group = await begin(seed)
    const { simulator } = group
    const [gone, witness, ...others] = group.nodes as [Node, Node, ...Node[]]
    simulator.block(
      [gone.host.id],
      others.map(({ host }) => host.id)
    )
    await expectSoon(group, gone, [witness])
    await simulator.complete(group.crash(gone))
    await expectSoon(group, witness, others)
    const orders = [witness, ...others].map(({ got }) => got.slice(-2).map(({ id }) => id))
    expect(new Set(orders.map(String)).size).toBe(1)
  })
})

test('a sender that leaves with its large payload delays nobody', async () => {
  await forSeeds('a sender that leaves', { seeds: 20, short: 8 }, async (seed) => {
    const group = await begin(seed)
    const { simulator } = group
    const [gone, ...others] = group.nodes as [Node, ...Node[]]
    const leave = async (): Promise<string> => {
      const { id } = await gone.topic!.publish(new Uint8Array(largePayload).fill(1))
      const { cid } = await gone.topic!.get(id)
      await gone.peer!.data.unpin(cid!)
      await gone.peer!.blocks.delete(cid!)
      return id
    }
    const id = await simulator.complete(leave())
    await simulator.run({ for: soon })
    await simulator.complete(group.crash(gone))
    for (const from of others) await expectSoon(group, from, others)
    for (const from of others) await expectSoon(group, from, others, largePayload)
    for (const { got, topic } of others) {
      expect(await topic!.view.has(CID.parse(id))).toBe(true)
      expect(got.some((message) => message.id === id)).toBe(false)
    }
  })
})
