import { equal, rejects, sameBytes } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { cborBlock, rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { pinning } from './declared.ts'
import { cannotDelete, pin, pinsOf, stored } from './pin-calls.ts'

export const remotePins: readonly Test[] = [
  {
    name: 'a recursive pin fetches missing blocks, and resolves when everything is stored here',
    when: (c) => pinning(c) && c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const dag = await stored(t, network.at(1))
      await blocksOf(network.at(0)).put(dag.root)
      await pin(t, network.at(0), dag.root.cid)
      for (const { cid, bytes } of dag.blocks)
        sameBytes(
          await blocksOf(network.at(0)).get(cid, { local: true, signal: t.signal }),
          bytes,
          'every block of a pinned DAG is stored here'
        )
      await blocksOf(network.at(0)).unpin(dag.root.cid)
    }
  },
  {
    name: 'a direct pin fetches the root when it is missing',
    when: (c) => pinning(c) && c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const root = await cborBlock([(await rawBlock()).cid])
      await blocksOf(network.at(1)).put(root)
      await pin(t, network.at(0), root.cid, false)
      equal(await blocksOf(network.at(0)).has(root.cid), true, 'the root of a direct pin is stored here')
      await cannotDelete(network.at(0), root.cid)
      await blocksOf(network.at(0)).unpin(root.cid)
    }
  },
  {
    name: 'a pin of a missing block that nobody has rejects, and is not listed',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const root = await cborBlock([(await rawBlock()).cid])
      await blocksOf(backend).put(root)
      const controller = new AbortController()
      const pinned = rejects(() => blocksOf(backend).pin(root.cid, { signal: controller.signal }), {
        backend,
        operation: 'blocks.pin',
        codes: ['ABORTED', 'NOT_FOUND']
      })
      // A store call on the way shows that the pin had its chance; it cannot end well.
      await blocksOf(backend).has(root.cid)
      controller.abort()
      await t.soon('a pin that cannot be done rejects', pinned)
      equal((await pinsOf(t, backend, root.cid)).length, 0, 'a pin that failed is not listed')
      await t.within('what a failed pin touched can be deleted', blocksOf(backend).delete(root.cid))
    }
  }
]
