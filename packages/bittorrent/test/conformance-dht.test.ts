import { conformance } from '@p2pl/conformance'
import { describe, it } from 'vitest'
import { bittorrent } from '../src/index.ts'
import { bootstrapNode, kitNetwork, runnerOf, startProcesses } from './support.ts'

startProcesses()

conformance(runnerOf(describe, it), {
  name: 'bittorrent in memory, one DHT node to begin with, no tracker',
  create: async (count) => {
    // Who is alone has nobody at all.
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
  followsHints: true
})
