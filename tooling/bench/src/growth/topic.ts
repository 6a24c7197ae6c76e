import { createPeer, type Peer } from '@p2pl/core'
import { createSimulator } from '@p2pl/simulator'
import { median } from '../harness/statistics.ts'
import { heap } from './heap.ts'
import type { GrowthRole } from './growth.ts'

const messages = 20
const payloadBytes = 256

/** The cost of one topic. The mesh is the simulator's model of gossipsub; everything above it is core. */
const topicGrowth: GrowthRole = async ({ peers: count }) => ({
  measure: async () => {
    const before = heap()
    const simulator = createSimulator({ seed: count, latency: { median: 40, sigma: 0.5 }, mesh: { degree: 6 } })
    const peers: Peer[] = []
    let arrived = 0
    let last = 0
    for (let i = 0; i < count; i++) {
      const peer = await simulator.complete(createPeer(simulator.host(`h${i}`).boot()))
      const subscription = peer.topic('t').subscribe()
      await simulator.complete(subscription.joined)
      void (async () => {
        for await (const item of subscription) {
          if (item.type !== 'message') continue
          arrived++
          last = simulator.now
        }
      })()
      peers.push(peer)
    }
    await simulator.run({ for: 10_000 })
    const held = heap() - before
    const traffic = simulator.traffic()
    const times: number[] = []
    for (let i = 0; i < messages; i++) {
      const begin = simulator.now
      const wanted = (i + 1) * (count - 1)
      await simulator.complete(peers[(i * 7) % count]!.topic('t').publish(new Uint8Array(payloadBytes)))
      if (!(await simulator.runUntil(() => arrived >= wanted, { limit: 60_000 })))
        throw new Error(`${arrived} of ${wanted} deliveries came`)
      times.push(last - begin)
      await simulator.run({ for: 1_000 })
    }
    const after = simulator.traffic()
    const deliveries = messages * (count - 1)
    return {
      'KiB of heap per peer': held / count / 1_024,
      'bytes over the optimum': (after.sentBytes - traffic.sentBytes) / (deliveries * payloadBytes),
      'copies per delivery': (after.messages - traffic.messages) / deliveries,
      'ms until all have it': median(times)
    }
  }
})

export default topicGrowth
