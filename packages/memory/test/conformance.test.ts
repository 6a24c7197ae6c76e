import { conformance } from '@p2pl/conformance'
import type { ConformanceNetwork } from '@p2pl/conformance'
import { aroundCalls } from '@p2pl/core/backend'
import { describe, it } from 'vitest'
import { createMemoryNetwork, memory } from '../src/index.ts'

let made = 0

async function create(count: number): Promise<ConformanceNetwork> {
  const network = createMemoryNetwork()
  // No peer of one network has the id of a peer of another.
  const ids = Array.from({ length: count }, () => `memory-${++made}`)
  return {
    backends: ids.map((id) => memory({ network, id })),
    cut: async (index) => {
      network.interrupt(ids[index]!)
      return async () => network.resume(ids[index]!)
    },
    dispose: async () => undefined
  }
}

const { capabilities } = memory({ network: createMemoryNetwork() })

conformance({ describe, it }, { name: 'memory', create, capabilities, followsHints: true })
conformance(
  { describe, it },
  { name: 'memory, wrapped', create, capabilities, followsHints: true, wrap: aroundCalls({}) }
)
