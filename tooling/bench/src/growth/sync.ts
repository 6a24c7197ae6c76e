import { createPeer } from '@p2pl/core'
import { createSimulator } from '@p2pl/simulator'
import { openView, type View } from '@p2pl/sync'
import { MemoryLevel } from 'memory-level'
import { heap } from './heap.ts'
import type { GrowthRole } from './growth.ts'

const payloadBytes = 150
const writers = 10
/** A view that hears an equal beacon stays silent for at most 16 periods of 2 s. Each view speaks within this time (ms). */
const silence = 32_000

/** The cost of making a group of views equal. */
const syncGrowth: GrowthRole = async ({ peers: count }) => ({
  measure: async () => {
    const before = heap()
    const simulator = createSimulator({ seed: count, latency: { median: 40, sigma: 0.5 }, mesh: { degree: 6 } })
    const views: View[] = []
    for (let i = 0; i < count; i++) {
      const peer = await simulator.complete(createPeer(simulator.host(`h${i}`).boot()))
      const encodings = { storeEncoding: 'view', keyEncoding: 'view', valueEncoding: 'view' } as const
      const store = new MemoryLevel<Uint8Array, Uint8Array>(encodings)
      views.push(await simulator.complete(openView({ peer, topic: 't', store })))
    }
    await simulator.run({ for: silence / 2 })
    const held = heap() - before
    const start = simulator.traffic()
    await simulator.run({ for: silence })
    const quiet = simulator.traffic()
    const begin = simulator.now
    const appended = Array.from({ length: writers }, (_, i) =>
      views[i % count]!.append(new Uint8Array(payloadBytes).fill(i))
    )
    await simulator.complete(Promise.all(appended))
    const isEqual = async (): Promise<boolean> => {
      if (views.some((view) => view.count < writers)) return false
      const roots = await Promise.all(views.map(async (view) => String((await view.digest()).root)))
      return new Set(roots).size === 1
    }
    if (!(await simulator.runUntil(isEqual, { limit: 600_000, every: 100 })))
      throw new Error('the views did not become equal')
    const took = simulator.now - begin
    const after = simulator.traffic()
    return {
      'KiB of heap per peer': held / count / 1_024,
      'bytes/s each while quiet': (quiet.sentBytes - start.sentBytes) / count / (silence / 1_000),
      'bytes over the optimum': (after.sentBytes - quiet.sentBytes) / (writers * (count - 1) * payloadBytes),
      'ms until all are equal': took
    }
  }
})

export default syncGrowth
