import { conformance } from '@p2pl/conformance'
import type { ConformanceNetwork } from '@p2pl/conformance'
import { describe, it } from 'vitest'
import { createSimulator } from '../src/index.ts'
import type { SimulatorOptions } from '../src/index.ts'

let made = 0

/** The kit lives in real time. Virtual time runs beside it, as fast as it can. */
function fixture(options: Omit<SimulatorOptions, 'seed'>): (count: number) => Promise<ConformanceNetwork> {
  return async (count) => {
    const simulator = createSimulator({ ...options, seed: 1 })
    const ids = Array.from({ length: count }, () => `peer-${++made}`)
    const backends = ids.map((id) => simulator.backend(id))
    const disposed = new AbortController()
    const running = (async () => {
      while (!disposed.signal.aborted) await simulator.run({ for: 10 })
    })()
    return {
      backends,
      link: async () => {
        // The mesh adapts with its next heartbeat.
        const until = simulator.now + 2000
        while (simulator.now < until) await new Promise(setImmediate)
      },
      cut: async (index) => {
        const partition = simulator.partition([ids[index]!])
        return async () => partition.end()
      },
      reopen: async (index) => simulator.backend(ids[index]!),
      dispose: async () => {
        disposed.abort()
        await running
      }
    }
  }
}

const latency = { min: 5, max: 20 }
for (const [name, options] of [
  ['simulated, direct', { latency }],
  ['simulated, mesh', { latency, mesh: { degree: 4 } }]
] as const) {
  const { capabilities } = createSimulator({ ...options, seed: 1 }).backend('any')
  conformance({ describe, it }, { name, create: fixture(options), capabilities, followsHints: true })
}
