import { conformance } from '@p2pl/conformance'
import type { ConformanceNetwork } from '@p2pl/conformance'
import { describe, it } from 'vitest'
import { createSimulator } from '../src/index.ts'
import type { SimulatorOptions } from '../src/index.ts'

let made = 0

/** The kit lives in real time: virtual time runs beside it, as fast as it can. */
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
      reopen: async (index) => simulator.backend(ids[index]!),
      dispose: async () => {
        disposed.abort()
        await running
      }
    }
  }
}

const runner = { describe, it }
const { capabilities } = createSimulator({ seed: 1 }).backend('any')
const latency = { min: 5, max: 20 }

conformance(runner, { name: 'simulated, direct', create: fixture({ latency }), capabilities, followsHints: true })
conformance(runner, {
  name: 'simulated, mesh',
  create: fixture({ latency, mesh: { degree: 4 } }),
  capabilities,
  followsHints: true
})
