import { createPeer } from '@p2pl/core'
import { describe, expect, it } from 'vitest'
import { createSimulator } from '../src/index.ts'
import { rawBlock } from '@p2pl/tooling-vitest/blocks'
import { world } from './harness.ts'

describe('traffic', () => {
  it('counts messages and bytes of both sides, also of what got lost, and nothing that had no way', async () => {
    const { simulator, publish } = await world(3)
    await publish(0, '12345')
    simulator.disturb({ from: ['h0'], to: ['h1'], loss: 1 })
    await publish(0, '123')
    await simulator.run({ for: 1000 })
    simulator.block(['h0'], ['h2'])
    await publish(0, '1')
    await simulator.run({ for: 1000 })
    expect(simulator.host('h0').traffic).toMatchObject({ messages: 5, sentBytes: 2 * 5 + 2 * 3 + 1, receivedBytes: 0 })
    expect(simulator.host('h1').traffic).toMatchObject({ messages: 0, receivedBytes: 5, delivered: 1 })
    expect(simulator.host('h2').traffic).toMatchObject({ messages: 0, receivedBytes: 8, delivered: 2 })
  })

  it('counts requests for blocks and their responses', async () => {
    const { simulator, backends } = await world(2)
    const block = await rawBlock('0123456789')
    await backends[0]!.blocks!.putMany([block])
    await simulator.complete(backends[1]!.blocks!.get(block.cid))
    expect(simulator.host('h1').traffic).toMatchObject({ requests: 1, responses: 0, sentBytes: 64, receivedBytes: 74 })
    expect(simulator.host('h0').traffic).toMatchObject({ requests: 0, responses: 1, sentBytes: 74, receivedBytes: 64 })
  })

  it('counts what a mesh makes a host pass on', async () => {
    const { simulator, publish } = await world(30, { mesh: { degree: 4 } })
    await publish(0, '12345')
    await simulator.run({ for: 1000 })
    const { sentBytes, relayedBytes } = simulator.traffic()
    expect(simulator.host('h0').traffic.relayedBytes).toBe(0)
    expect(relayedBytes).toBe(sentBytes - simulator.host('h0').traffic.sentBytes)
    expect(relayedBytes).toBeGreaterThanOrEqual(25 * 5)
  })

  it('counts signatures that were checked, and stays through a restart', async () => {
    const simulator = createSimulator({ seed: 1 })
    const [ann, ben] = [
      await simulator.complete(createPeer(simulator.host('ann').boot())),
      await simulator.complete(createPeer(simulator.host('ben').boot()))
    ]
    const subscription = ben.topic('t').subscribe()
    await simulator.complete(subscription.joined)
    for (let i = 0; i < 3; i++) {
      await simulator.complete(ann.topic('t').publish(Uint8Array.of(i)))
      await simulator.run({ for: 1000 })
    }
    const { checks, receivedBytes } = simulator.host('ben').traffic
    expect(checks).toBe(3)
    simulator.host('ben').crash()
    simulator.host('ben').boot()
    expect(simulator.host('ben').traffic).toMatchObject({ checks, receivedBytes })
  })

  it('is summed over all but strangers, or over the hosts that are named', async () => {
    const { simulator, publish } = await world(2)
    simulator.stranger('mallory').publish('t', new Uint8Array(100))
    await publish(0, '12345')
    await publish(1, '123')
    expect(simulator.traffic().sentBytes).toBe(8)
    expect(simulator.traffic(['mallory', 'h1']).sentBytes).toBe(203)
  })
})
