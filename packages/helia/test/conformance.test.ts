import { join } from 'node:path'
import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import { aroundCalls } from '@p2pl/core/backend'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, it } from 'vitest'
import { helia, type HeliaOptions } from '../src/index.ts'
import { cut } from './cut.ts'
import { selfOf } from './self.ts'

const root = temporaryFolder('p2pl-helia-kit-')
/** On a busy machine, too. */
const patience = 30_000
let networks = 0

function network(count: number, options: (index: number) => HeliaOptions): ConformanceNetwork {
  const backends = Array.from({ length: count }, (_, i) => helia(options(i)))
  return {
    backends,
    link: async () => {
      for (const [i, backend] of backends.entries())
        for (const earlier of backends.slice(0, i)) await backend.routing.connect(selfOf(earlier))
    },
    cut: async (index) => {
      const heal = cut(backends[index] as (typeof backends)[number])
      return async () => heal()
    },
    reopen: async (index) => helia(options(index))
  }
}

conformance(
  { describe, it },
  {
    name: 'helia in memory',
    create: (count) => network(count, () => ({})),
    capabilities: helia().capabilities,
    followsHints: true,
    patience
  }
)

conformance(
  { describe, it },
  {
    name: 'helia in a folder, wrapped',
    create: (count) => {
      const own = join(root, String(++networks))
      return network(count, (index) => ({ dir: join(own, String(index)) }))
    },
    wrap: aroundCalls({}),
    capabilities: helia({ dir: join(root, 'for-capabilities') }).capabilities,
    followsHints: true,
    patience
  }
)
