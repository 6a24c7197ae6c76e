import { equal, rejects, sameBytes } from '../../kit/check.ts'
import { blocksOf, put } from '../../kit/parts.ts'
import {
  alias,
  cborBlock,
  dagCborCode,
  pbBlock,
  pbBlockV0,
  rawBlock,
  rawBlock512,
  sha2_512,
  truncated
} from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { present } from './declared.ts'

export const cids: readonly Test[] = [
  {
    name: 'a block is found by its multihash, whatever version and codec its CID names',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const v0 = await pbBlockV0([])
      await blocks.putMany([v0])
      for (const cid of [v0.cid.toV1(), alias(v0.cid, dagCborCode)]) {
        equal(await blocks.has(cid), true, `has() finds a block put as CIDv0 under ${cid.toString()}`)
        sameBytes(await blocks.get(cid, { signal: t.signal }), v0.bytes, 'get() finds a block put as CIDv0')
      }
      const raw = await rawBlock()
      await blocks.putMany([raw])
      sameBytes(
        await blocks.get(alias(raw.cid, dagCborCode), { signal: t.signal }),
        raw.bytes,
        'get() finds a raw block under another codec'
      )
      await blocks.delete(alias(raw.cid, dagCborCode))
      equal(await blocks.has(raw.cid), false, 'delete() of another codec with an equal multihash deletes the block')
    }
  },
  {
    name: 'foreign CIDs: raw, dag-cbor, dag-pb, CIDv0',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const leaf = await rawBlock()
      for (const block of [leaf, await cborBlock([leaf.cid]), await pbBlock([leaf.cid]), await pbBlockV0([leaf.cid])]) {
        await blocks.putMany([block])
        sameBytes(
          await blocks.get(block.cid, { signal: t.signal }),
          block.bytes,
          `${block.cid.toString()} is stored and found`
        )
      }
    }
  },
  {
    name: 'sha2-512 blocks are stored and found where declared',
    when: (c) => c.blocks?.hashes.includes(sha2_512) === true,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const block = await rawBlock512()
      await blocks.putMany([block])
      equal(await blocks.has(block.cid), true, 'has() finds a sha2-512 block')
      sameBytes(await blocks.get(block.cid, { signal: t.signal }), block.bytes, 'get() finds a sha2-512 block')
    }
  },
  {
    name: 'a digest that is cut short is refused',
    when: present,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const block = await truncated(await rawBlock())
      const codes = ['UNSUPPORTED', 'INVALID_ARGUMENT'] as const
      await rejects(() => put(backend, block), { backend, operation: 'blocks.putMany', codes })
      await rejects(() => blocksOf(backend).get(block.cid, { signal: t.signal }), {
        backend,
        operation: 'blocks.get',
        codes
      })
    }
  },
  {
    name: 'a hash that is not declared is refused',
    when: (c) => c.blocks?.hashes.includes(sha2_512) === false,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const block = await rawBlock512()
      const codes = ['UNSUPPORTED', 'INVALID_ARGUMENT'] as const
      await rejects(() => put(backend, block), { backend, operation: 'blocks.putMany', codes })
      await rejects(() => blocksOf(backend).get(block.cid, { signal: t.signal }), {
        backend,
        operation: 'blocks.get',
        codes
      })
    }
  }
]
