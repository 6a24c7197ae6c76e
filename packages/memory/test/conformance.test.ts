import { conformance } from '@p2pl/conformance'
import type { ConformanceNetwork } from '@p2pl/conformance'
import { aroundCalls } from '@p2pl/core/backend'
import { describe, it } from 'vitest'
import { createMemoryNetwork, memory } from '../src/index.ts'

let made = 0

async function create(count: number): Promise<ConformanceNetwork> {
  const network = createMemoryNetwork()
  // One participant may not be mistaken for that of another network.
  const backends = Array.from({ length: count }, () => memory({ network, id: `memory-${++made}` }))
  return {
    backends,
    cut: async (index) => {
      const { id } = backends[index]!.self()[0]!
      network.interrupt(id)
      return async () => network.resume(id)
    }
  }
}

const runner = { describe, it }
const { capabilities } = memory({ network: createMemoryNetwork() })

conformance(runner, { name: 'memory', create, capabilities, followsHints: true })
conformance(runner, { name: 'memory, wrapped', create, capabilities, followsHints: true, wrap: aroundCalls({}) })
