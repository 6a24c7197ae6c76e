import { check, equal, rejects } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { key, rawBlock, rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { refusesFired } from './calls.ts'

export const abortedStoreCalls: readonly Test[] = [
  {
    name: 'put, putMany and delete with a signal that has fired change nothing',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const [one, two, stored] = [await rawBlock(), await rawBlock(), await rawBlock()]
      await blocks.put(stored)
      await refusesFired(t, backend, 'blocks.put', async (signal) => await blocks.put(one, { signal }))
      let read = false
      const source = function* (): Generator<typeof two> {
        read = true
        yield two
      }
      await refusesFired(t, backend, 'blocks.putMany', async (signal) => await blocks.putMany(source(), { signal }))
      await refusesFired(t, backend, 'blocks.delete', async (signal) => await blocks.delete(stored.cid, { signal }))
      equal(await blocks.has(one.cid), false, 'an aborted put stores nothing')
      equal(await blocks.has(two.cid), false, 'an aborted putMany stores nothing')
      equal(read, false, 'an aborted putMany does not read its iterable')
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
    name: 'putMany stops reading its iterable when its signal fires',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const controller = new AbortController()
      const block = await rawBlock()
      let given = 0
      let ended = false
      const endless = async function* (): AsyncGenerator<typeof block> {
        try {
          for (;;) {
            if (++given === 50) controller.abort()
            yield block
            await Promise.resolve()
          }
        } finally {
          ended = true
        }
      }
      await t.soon(
        'putMany of an endless iterable ends after its signal fired',
        rejects(() => blocksOf(backend).putMany(endless(), { signal: controller.signal }), {
          backend,
          operation: 'blocks.putMany',
          codes: ['ABORTED']
        })
      )
      const at = given
      await blocksOf(backend).has(block.cid)
      check(given <= at + 1, 'an aborted putMany reads no further', `${given - at} blocks more`)
      check(ended || given <= at + 1, 'an aborted putMany ends its iterable', given)
    }
  },
  {
    name: 'putMany ends soon when its signal fires while the iterable gives nothing',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const controller = new AbortController()
      const silent: AsyncIterable<never> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => await new Promise<never>(() => undefined)
        })
      }
      const putting = rejects(() => blocksOf(backend).putMany(silent, { signal: controller.signal }), {
        backend,
        operation: 'blocks.putMany',
        codes: ['ABORTED']
      })
      controller.abort()
      await t.soon('putMany ends', putting)
    }
  }
]
