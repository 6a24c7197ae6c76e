import type { Progress } from '@p2pl/core/backend'
import { check, equal, rejects, sameBytes } from '../../kit/check.ts'
import { blocksOf, put } from '../../kit/parts.ts'
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
      await put(network.at(0), dag.root)
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
      await put(network.at(1), root)
      await pin(t, network.at(0), root.cid, false)
      equal(await blocksOf(network.at(0)).has(root.cid), true, 'the root of a direct pin is stored here')
      await cannotDelete(network.at(0), root.cid)
      await blocksOf(network.at(0)).unpin(root.cid)
    }
  },
  {
    name: 'pin tells how far it has come, block by block',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const dag = await stored(t, backend)
      const told: Progress[] = []
      await t.within(
        'pin resolves',
        blocksOf(backend).pin(dag.root.cid, { onProgress: (progress) => void told.push(progress), signal: t.signal })
      )
      const last = told.at(-1)
      check(told.length > 0, 'onProgress is called', told)
      check(
        told.every(
          ({ blocks, bytes }, i) => blocks >= (told[i - 1]?.blocks ?? 0) && bytes >= (told[i - 1]?.bytes ?? 0)
        ),
        'progress never goes back',
        told
      )
      equal(last?.blocks, dag.blocks.length, 'in the end every block is counted, once')
      const bytes = dag.blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)
      equal(last?.bytes, bytes, 'in the end every byte is counted, once')
      await blocksOf(backend).unpin(dag.root.cid)
    }
  },
  {
    name: 'a pin over maxBytes is TOO_LARGE and pins nothing; one within it is made',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const dag = await stored(t, backend)
      const size = dag.blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0)
      await rejects(() => blocks.pin(dag.root.cid, { maxBytes: size - 1, signal: t.signal }), {
        backend,
        operation: 'blocks.pin',
        codes: ['TOO_LARGE']
      })
      equal((await pinsOf(t, backend, dag.root.cid)).length, 0, 'a pin that is too large is not listed')
      await t.within('a block of it can be deleted', blocks.delete(dag.root.cid))
      await put(backend, dag.root)
      await t.within('pin resolves', blocks.pin(dag.root.cid, { maxBytes: size, signal: t.signal }))
      await cannotDelete(backend, dag.root.cid)
      await blocks.unpin(dag.root.cid)
      await rejects(() => blocks.pin(dag.root.cid, { maxBytes: -1 }), {
        backend,
        operation: 'blocks.pin',
        codes: ['INVALID_ARGUMENT']
      })
    }
  },
  {
    name: 'a recursive pin uses its hints to fetch missing blocks',
    when: (c, fixture) => pinning(c) && c.blocks?.remote === true && fixture.followsHints === true,
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const dag = await stored(t, network.at(1))
      await t.within(
        'pin with a hint resolves without a link',
        blocksOf(network.at(0)).pin(dag.root.cid, { providers: network.at(1).self(), signal: t.signal })
      )
      for (const { cid } of dag.blocks)
        equal(await blocksOf(network.at(0)).has(cid), true, 'every block of a pinned DAG is stored here')
    }
  },
  {
    name: 'a pin of a missing block that nobody has rejects, and is not listed',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const root = await cborBlock([(await rawBlock()).cid])
      await put(backend, root)
      const controller = new AbortController()
      const pinned = rejects(() => blocksOf(backend).pin(root.cid, { signal: controller.signal }), {
        backend,
        operation: 'blocks.pin',
        codes: ['ABORTED', 'NOT_FOUND']
      })
      // The store call shows that the pin has had time to act. The pin cannot succeed.
      await blocksOf(backend).has(root.cid)
      controller.abort()
      await t.soon('a pin that cannot be done rejects', pinned)
      equal((await pinsOf(t, backend, root.cid)).length, 0, 'a pin that failed is not listed')
      await t.within('the block of a failed pin can be deleted', blocksOf(backend).delete(root.cid))
    }
  }
]
