import { equal, rejects, sameBytes } from '../../kit/check.ts'
import { blocksOf, put } from '../../kit/parts.ts'
import { rawBlock, rawBlockOf } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, largestTried, present } from './declared.ts'

export const store: readonly Test[] = [
  {
    name: 'put, get, has and delete agree, and each may be repeated',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const block = await rawBlock(1000)
      const copy = block.bytes.slice()
      equal(await blocks.has(block.cid), false, 'has() is false before put')
      await blocks.delete(block.cid)
      for (let round = 0; round < 2; round++) {
        await t.within('put resolves', blocks.putMany([block], { signal: t.signal }))
        equal(await blocks.has(block.cid), true, 'has() is true after put')
        sameBytes(await blocks.get(block.cid, { signal: t.signal }), copy, 'get() gives the bytes of put()')
      }
      sameBytes(block.bytes, copy, 'put does not change its bytes')
      for (let round = 0; round < 2; round++) {
        await t.within('delete resolves', blocks.delete(block.cid))
        equal(await blocks.has(block.cid), false, 'has() is false after delete')
      }
      const other = await rawBlock(1000)
      await blocks.putMany([block, other])
      const first = await blocks.get(block.cid, { signal: t.signal })
      await blocks.get(other.cid, { signal: t.signal })
      sameBytes(first, copy, 'a block may be put again after delete, and its bytes stay when another is read')
    }
  },
  {
    name: 'get with local: true of a block that is not stored rejects with NOT_FOUND at once',
    when: present,
    run: async (t) => {
      for (const kind of ['solo', 'trio'] as const) {
        const backend = (await t.shared(kind)).at(0)
        const { cid } = await rawBlock()
        await t.soon(
          'a local get rejects at once',
          rejects(() => blocksOf(backend).get(cid, { local: true, signal: t.signal }), {
            backend,
            operation: 'blocks.get',
            codes: ['NOT_FOUND']
          })
        )
      }
    }
  },
  {
    name: 'get with local: true gives a stored block',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const block = await rawBlock()
      await blocks.putMany([block])
      sameBytes(await blocks.get(block.cid, { local: true }), block.bytes, 'a local get gives the block')
    }
  },
  {
    name: 'where `remote` is not declared, get of a block that is not stored rejects with NOT_FOUND',
    when: (c) => c.blocks?.remote === false,
    run: async (t) => {
      const network = await t.shared('trio')
      const block = await rawBlock()
      await put(network.at(1), block)
      const backend = network.at(0)
      await t.within(
        'get rejects',
        rejects(() => blocksOf(backend).get(block.cid), {
          backend,
          operation: 'blocks.get',
          codes: ['NOT_FOUND']
        })
      )
    }
  },
  {
    name: 'the empty block is a block',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const block = await rawBlockOf(new Uint8Array(0))
      await blocks.putMany([block])
      equal(await blocks.has(block.cid), true, 'has() finds the empty block')
      equal((await blocks.get(block.cid, { signal: t.signal })).byteLength, 0, 'get() gives no bytes')
      await blocks.delete(block.cid)
      equal(await blocks.has(block.cid), false, 'the empty block can be deleted')
    }
  },
  {
    name: 'a block of maxBlockBytes is stored; one over it is TOO_LARGE and not stored',
    when: present,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const limit = declared(t).maxBlockBytes
      const largest = await rawBlock(Math.min(limit, largestTried))
      await t.within('put of the largest block resolves', blocks.putMany([largest], { signal: t.signal }))
      sameBytes(await blocks.get(largest.cid, { signal: t.signal }), largest.bytes, 'the largest block comes back')
      await blocks.delete(largest.cid)
      if (limit > largestTried) return
      const over = await rawBlock(limit + 1)
      const codes = ['TOO_LARGE'] as const
      await rejects(() => blocks.putMany([over]), { backend, operation: 'blocks.putMany', codes })
      equal(await blocks.has(over.cid), false, 'a block that is too large is not stored')
    }
  },
  {
    name: 'store calls do not wait for the network',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const { cid } = await rawBlock()
      equal(await t.soon('has() of an unknown block resolves', blocks.has(cid)), false, 'has() is false')
      await t.soon('delete() of an unknown block resolves', blocks.delete(cid))
    }
  }
]
