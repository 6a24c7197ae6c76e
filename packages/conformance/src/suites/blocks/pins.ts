import type { CID } from 'multiformats/cid'
import { equal } from '../../kit/check.ts'
import { blocksOf, put } from '../../kit/parts.ts'
import { cborBlock, rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { pinning } from './declared.ts'
import { cannotDelete, pin, pinsOf, stored } from './pin-calls.ts'

export const pins: readonly Test[] = [
  {
    name: 'a recursive pin (the default) protects the root and everything below from delete; unpin ends that',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const dag = await stored(t, backend)
      await pin(t, backend, dag.root.cid)
      for (const { cid } of dag.blocks) await cannotDelete(backend, cid)
      await t.within('unpin resolves', blocksOf(backend).unpin(dag.root.cid))
      for (const { cid } of dag.blocks) {
        await t.within('delete after unpin resolves', blocksOf(backend).delete(cid))
        equal(await blocksOf(backend).has(cid), false, 'delete after unpin deletes')
      }
    }
  },
  {
    name: 'a direct pin protects the root only',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const child = await rawBlock()
      const root = await cborBlock([child.cid])
      await blocksOf(backend).putMany([root, child])
      await pin(t, backend, root.cid, false)
      await cannotDelete(backend, root.cid)
      await t.within('delete below a direct pin resolves', blocksOf(backend).delete(child.cid))
      equal(await blocksOf(backend).has(child.cid), false, 'a block below a direct pin can be deleted')
      await blocksOf(backend).unpin(root.cid)
    }
  },
  {
    name: 'a direct pin does not need the blocks below the root',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const root = await cborBlock([(await rawBlock()).cid])
      await put(backend, root)
      await pin(t, backend, root.cid, false)
      await blocksOf(backend).unpin(root.cid)
    }
  },
  {
    name: 'pins() lists the pins themselves with their kind, each once; a recursive pin replaces a direct one',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const dag = await stored(t, backend)
      equal((await pinsOf(t, backend, dag.root.cid)).length, 0, 'what is not pinned is not listed')
      await pin(t, backend, dag.root.cid, false)
      equal((await pinsOf(t, backend, dag.root.cid))[0]?.recursive, false, 'a direct pin is listed as such')
      await pin(t, backend, dag.root.cid)
      const listed = await pinsOf(t, backend, dag.root.cid)
      equal(listed.length, 1, 'a root that was pinned twice is listed once')
      equal(listed[0]?.recursive, true, 'a recursive pin replaces a direct one')
      for (const { cid } of dag.blocks) await cannotDelete(backend, cid)
      for (const { cid } of dag.blocks.slice(1))
        equal((await pinsOf(t, backend, cid)).length, 0, 'what a pin holds indirectly is not listed')
      await blocksOf(backend).unpin(dag.root.cid)
      equal((await pinsOf(t, backend, dag.root.cid)).length, 0, 'after unpin the pin is not listed')
    }
  },
  {
    name: 'pinning again, and unpinning a CID that is not pinned, are not errors',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const dag = await stored(t, backend)
      const { cid } = dag.root
      await t.within('unpin of a CID that is not pinned resolves', blocksOf(backend).unpin(cid))
      for (const recursive of [true, true, false]) await pin(t, backend, cid, recursive)
      equal((await pinsOf(t, backend, cid)).length, 1, 'it is listed once')
      for (let round = 0; round < 2; round++) await t.within('unpin resolves', blocksOf(backend).unpin(cid))
      await pin(t, backend, cid, false)
      await pin(t, backend, cid, false)
      await blocksOf(backend).unpin(cid)
      equal((await pinsOf(t, backend, cid)).length, 0, 'one unpin ends a pin that was made several times')
    }
  },
  {
    name: 'a pin holds the blocks that it shares with another pin',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const leaf = await rawBlock()
      const [one, two] = [await cborBlock([leaf.cid]), await cborBlock([leaf.cid])]
      await blocksOf(backend).putMany([leaf, one, two])
      await pin(t, backend, one.cid)
      await pin(t, backend, two.cid)
      await blocksOf(backend).unpin(one.cid)
      await cannotDelete(backend, leaf.cid)
      await blocksOf(backend).unpin(two.cid)
      await blocksOf(backend).delete(leaf.cid)
      equal(await blocksOf(backend).has(leaf.cid), false, 'with the last pin gone it can be deleted')
    }
  },
  {
    name: 'a pin is by multihash like every key',
    when: pinning,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const block = await rawBlock()
      await put(backend, block)
      await pin(t, backend, block.cid)
      await cannotDelete(backend, (block.cid.constructor as typeof CID).createV1(0x71, block.cid.multihash))
      await blocksOf(backend).unpin(block.cid)
    }
  }
]
