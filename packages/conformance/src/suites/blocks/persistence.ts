import { equal, sameBytes, sameSet } from '../../kit/check.ts'
import { blocksOf, put, selfOf } from '../../kit/parts.ts'
import { cborBlock, key, rawBlock, rawBlocks, uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { collecting, pinning } from './declared.ts'
import { cannotDelete, gc, pin, stored } from './pin-calls.ts'

export const persistence: readonly Test[] = [
  {
    name: 'a block whose put resolved, and a secret, are there for another backend over the same store (persistence)',
    when: (c) => c.blocks !== undefined && c.blocks.persistence !== 'none',
    run: async (t) => {
      const network = await t.fresh(1)
      await network.start(0)
      const { id } = selfOf(network.at(0))
      const secrets = [uniqueBytes(32), uniqueBytes(32)] as const
      for (const [i, secret] of secrets.entries()) await network.at(0).secrets?.set(`secret-${i}`, secret.slice())
      const one = await rawBlock()
      const many = await rawBlocks(20)
      const gone = await rawBlock()
      await put(network.at(0), one)
      await put(network.at(0), gone)
      await blocksOf(network.at(0)).putMany(many)
      await blocksOf(network.at(0)).delete(gone.cid)
      await t.within('stop resolves', network.at(0).stop())
      const again = await network.reopen(0)
      await t.within('the reopened backend starts', again.start())
      for (const { cid, bytes } of [one, ...many])
        sameBytes(await blocksOf(again).get(cid, { local: true }), bytes, 'a stored block is there after reopening')
      equal(await blocksOf(again).has(gone.cid), false, 'a deleted block stays deleted after reopening')
      equal(selfOf(again).id, id, 'a persistent backend keeps its id')
      if (again.secrets === undefined) return
      for (const [i, secret] of secrets.entries())
        sameBytes(
          (await again.secrets.get(`secret-${i}`)) ?? new Uint8Array(0),
          secret,
          'a secret is there after reopening'
        )
      equal(await again.secrets.get('no-secret'), undefined, 'a secret that was never set is undefined')
    }
  },
  {
    name: 'pins are there, and protect, for another backend over the same store (persistence)',
    when: (c) => pinning(c) && c.blocks?.persistence !== 'none',
    run: async (t) => {
      const network = await t.fresh(1)
      await network.start(0)
      const dag = await stored(t, network.at(0))
      const unpinned = await rawBlock()
      const child = await rawBlock()
      const direct = await cborBlock([child.cid])
      await blocksOf(network.at(0)).putMany([unpinned, child, direct])
      await pin(t, network.at(0), dag.root.cid)
      await pin(t, network.at(0), direct.cid, false)
      await pin(t, network.at(0), unpinned.cid)
      await blocksOf(network.at(0)).unpin(unpinned.cid)
      await t.within('stop resolves', network.at(0).stop())
      const again = await network.reopen(0)
      await t.within('the reopened backend starts', again.start())
      const listed = await collect(() => blocksOf(again).pins())
      sameSet(
        listed.map(({ cid, recursive }) => `${key(cid)} ${recursive}`),
        [`${key(dag.root.cid)} true`, `${key(direct.cid)} false`],
        'pins are there after reopening'
      )
      for (const { cid } of [...dag.blocks, direct]) await cannotDelete(again, cid)
      if (!collecting(t.capabilities)) return
      await gc(t, again)
      for (const { cid } of [...dag.blocks, direct])
        equal(await blocksOf(again).has(cid), true, 'gc after reopening keeps pinned blocks')
      equal(await blocksOf(again).has(child.cid), false, 'gc after reopening removes other blocks')
    }
  }
]
