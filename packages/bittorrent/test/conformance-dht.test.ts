import { conformance, type ConformanceFixture } from '@p2pl/conformance'
import { compose, retry, timeout } from '@p2pl/layers'
import { describe, it } from 'vitest'
import { bittorrent } from '../src/index.ts'
import { bootstrapNode, kitNetwork, startProcesses } from './support.ts'

startProcesses()

const runner = { describe, it }
const fixture: ConformanceFixture = {
  name: 'bittorrent in memory, one DHT node to begin with, no tracker',
  create: async (count) => {
    // A peer alone has nobody at all.
    if (count === 1)
      return kitNetwork(
        1,
        () => ({}),
        async () => {}
      )
    const node = await bootstrapNode()
    return kitNetwork(count, () => ({ bootstrap: [node.address] }), node.stop)
  },
  capabilities: bittorrent().capabilities,
  followsHints: true,
  // Seven processes share the machine with other tests.
  patience: 60_000
}
const limits = { get: 60_000, routing: 30_000 }

conformance(runner, fixture)
conformance(runner, {
  ...fixture,
  name: `${fixture.name}, under retry and timeout`,
  wrap: (backend) => compose(backend, retry(), timeout(limits)),
  capabilities: compose(bittorrent(), retry(), timeout(limits)).capabilities
})
