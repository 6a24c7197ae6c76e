import { check, equal, wellFormed } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { cborBlock, key, rawBlock, rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect, outcomeOf, poll, turn } from '../../kit/time.ts'
import { refusesFired } from './calls.ts'

const leavesOfPin = 500

export const abortedStoreCalls: readonly Test[] = [
  {
    name: 'putMany and delete with a signal that has fired change nothing',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const [fresh, stored] = [await rawBlock(), await rawBlock()]
      await blocks.putMany([stored])
      await refusesFired(t, backend, 'blocks.putMany', async (signal) => await blocks.putMany([fresh], { signal }))
      await refusesFired(t, backend, 'blocks.delete', async (signal) => await blocks.delete(stored.cid, { signal }))
      equal(await blocks.has(fresh.cid), false, 'an aborted putMany stores nothing')
      equal(await blocks.has(stored.cid), true, 'an aborted delete deletes nothing')
    }
  },
  {
    name: 'pin and unpin with a signal that has fired change nothing',
    when: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const [one, two] = [await rawBlock(), await rawBlock()]
      await blocks.putMany([one, two])
      await blocks.pin(two.cid)
      await refusesFired(t, backend, 'blocks.pin', async (signal) => await blocks.pin(one.cid, { signal }))
      await refusesFired(t, backend, 'blocks.unpin', async (signal) => await blocks.unpin(two.cid, { signal }))
      const listed = (await collect(() => blocks.pins())).map(({ cid }) => key(cid))
      check(!listed.includes(key(one.cid)), 'an aborted pin pins nothing', listed)
      check(listed.includes(key(two.cid)), 'an aborted unpin unpins nothing', listed)
      await blocks.unpin(two.cid)
    }
  },
  {
    name: 'gc with a signal that has fired removes nothing',
    when: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const many = await rawBlocks(10)
      await blocksOf(backend).putMany(many)
      await refusesFired(
        t,
        backend,
        'blocks.gc',
        async (signal) => await collect(() => blocksOf(backend).gc({ signal }))
      )
      for (const { cid } of many) equal(await blocksOf(backend).has(cid), true, 'an aborted gc removes nothing')
    }
  },
  {
    name: 'a pin that is aborted midway is not made later, and leaves nothing protected',
    when: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const leaves = await rawBlocks(leavesOfPin)
      const root = await cborBlock(leaves.map(({ cid }) => cid))
      await blocks.putMany([root, ...leaves])
      const controller = new AbortController()
      const pinning = outcomeOf(
        blocks.pin(root.cid, { signal: controller.signal, onProgress: () => controller.abort() })
      )
      await turn()
      controller.abort()
      const outcome = await t.soon('pin ends soon after its signal fired', pinning)
      const listed = async (): Promise<boolean> =>
        (await collect(() => blocks.pins())).some(({ cid }) => key(cid) === key(root.cid))
      if ('value' in outcome) {
        equal(await listed(), true, 'a pin that resolved is listed')
        await blocks.unpin(root.cid)
        return
      }
      wellFormed(outcome.error, { backend, operation: 'blocks.pin', codes: ['ABORTED'] })
      // A pin that continued in spite of the signal would be listed only once it is complete.
      const late = await poll(t.quietMs, async () => ((await listed()) ? true : undefined))
      equal(late, undefined, 'an aborted pin is not listed later')
      await t.within('a block of an aborted pin can be deleted', blocks.delete(root.cid))
    }
  }
]
