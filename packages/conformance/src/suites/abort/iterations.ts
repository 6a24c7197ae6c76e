import { fail, rejects } from '../../kit/check.ts'
import { blocksOf, routingOf } from '../../kit/parts.ts'
import { rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { endsIteration, providedByTwo } from './calls.ts'

export const abortedIterations: readonly Test[] = [
  {
    name: 'an iteration of pins rejects with ABORTED when its signal fires midway',
    when: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const many = await rawBlocks(10)
      await blocksOf(backend).putMany(many)
      await Promise.all(many.map(async ({ cid }) => await blocksOf(backend).pin(cid)))
      await endsIteration(t, backend, 'blocks.pins', (signal) => blocksOf(backend).pins({ signal }))
      await Promise.all(many.map(async ({ cid }) => await blocksOf(backend).unpin(cid)))
    }
  },
  {
    name: 'an iteration of gc rejects with ABORTED when its signal fires midway',
    when: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      await blocksOf(backend).putMany(await rawBlocks(50))
      await endsIteration(t, backend, 'blocks.gc', (signal) => blocksOf(backend).gc({ signal }))
    }
  },
  {
    name: 'an iteration of findProviders rejects when its signal fires first',
    when: (c) => c.routing !== undefined && c.routing.findProviders !== 'none' && c.routing.provide !== 'none',
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await providedByTwo(t, network)
      const controller = new AbortController()
      const backend = network.at(2)
      const iterator = routingOf(backend).findProviders(cid, { signal: controller.signal })[Symbol.asyncIterator]()
      const first = await t.within('findProviders yields', iterator.next())
      if (first.done === true) fail('findProviders yields the peer that provided', 'it ended')
      controller.abort()
      await t.soon(
        'findProviders ends soon after its signal fired',
        rejects(
          async () => {
            while ((await iterator.next()).done !== true);
          },
          { backend, operation: 'routing.findProviders', codes: ['ABORTED'] }
        )
      )
    }
  }
]
