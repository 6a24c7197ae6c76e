import { check, equal } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { cborBlock, diamond, key, rawBlock, rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collecting, pinning } from './declared.ts'
import { gc, pin, stored } from './pin-calls.ts'

export const garbage: readonly Test[] = [
  {
    name: 'gc removes every block that no pin protects, keeps the others, and yields the CIDs of the removed blocks',
    when: (c) => collecting(c) && pinning(c),
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const kept = await stored(t, backend)
      const child = await rawBlock()
      const direct = await cborBlock([child.cid])
      const loose = [...(await rawBlocks(20)), ...(await diamond()).blocks, child]
      await blocks.putMany([...loose, direct])
      await pin(t, backend, kept.root.cid)
      await pin(t, backend, direct.cid, false)
      const removed = await gc(t, backend)
      equal(new Set(removed).size, removed.length, 'each removed block is yielded once')
      for (const { cid } of [...kept.blocks, direct]) {
        equal(await blocks.has(cid), true, 'gc keeps the blocks that a pin protects')
        check(!removed.includes(key(cid)), 'gc does not yield a block that it keeps', removed)
      }
      for (const { cid } of loose) {
        equal(await blocks.has(cid), false, 'gc removes the blocks that no pin protects')
        check(removed.includes(key(cid)), 'gc yields the CID of each block that it removed', removed)
      }
      await blocks.unpin(kept.root.cid)
      await blocks.unpin(direct.cid)
      const second = await gc(t, backend)
      for (const { cid } of [...kept.blocks, direct])
        check(second.includes(key(cid)), 'gc removes unpinned blocks', second)
      equal((await gc(t, backend)).length, 0, 'gc of an empty store removes nothing')
    }
  },
  {
    name: 'gc removes every block where pins are not declared',
    when: (c) => collecting(c) && !pinning(c),
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const loose = await rawBlocks(20)
      await blocksOf(backend).putMany(loose)
      const removed = await gc(t, backend)
      for (const { cid } of loose) {
        equal(await blocksOf(backend).has(cid), false, 'gc removes every block')
        check(removed.includes(key(cid)), 'gc yields the CID of each block that it removed', removed)
      }
    }
  },
  {
    name: 'gc may run while others put: a block that was put is there, or gc yields it',
    when: collecting,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      await blocks.putMany(await rawBlocks(50))
      const during = await rawBlocks(50)
      const putEach = async (some: typeof during): Promise<void> => {
        for (const block of some) await blocks.putMany([block], { signal: t.signal })
      }
      const [removed] = await t.within(
        'gc and puts at the same time resolve',
        Promise.all([gc(t, backend), putEach(during.slice(0, 25)), putEach(during.slice(25))])
      )
      const gone = new Set(removed)
      for (const { cid } of during)
        equal(
          await blocks.has(cid),
          !gone.has(key(cid)),
          'a block that was put during gc is there unless gc yielded it'
        )
    }
  },
  {
    name: 'gc may run while others pin: a pin that resolved holds its blocks',
    when: (c) => collecting(c) && pinning(c),
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const dags = await Promise.all(Array.from({ length: 5 }, diamond))
      const whole = dags.flatMap((dag) => dag.blocks)
      // The direct pins hold every block, so that the recursive pins find them whatever gc does meanwhile.
      await blocks.putMany([...(await rawBlocks(50)), ...whole])
      await Promise.all(whole.map(async ({ cid }) => await pin(t, backend, cid, false)))
      await Promise.all([gc(t, backend), ...dags.map(async ({ root }) => await pin(t, backend, root.cid))])
      for (const { blocks: parts } of dags) for (const { cid } of parts.slice(1)) await blocks.unpin(cid)
      await gc(t, backend)
      for (const { cid } of whole) equal(await blocks.has(cid), true, 'gc keeps the blocks of a pin')
      for (const { root } of dags) await blocks.unpin(root.cid)
    }
  }
]
