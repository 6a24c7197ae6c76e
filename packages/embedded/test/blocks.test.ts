import { P2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { collect, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { calm } from './support/calm.ts'
import { peer } from './support/stores.ts'

describe('stored blocks', () => {
  it('are got from the own store, from others, or only from one of the two', async () => {
    const own = await peer()
    const block = await rawBlock('here')
    const wrong = await rawBlock('wrong')
    await own.blocks.putMany([block])
    expect(await own.blocks.get(block.cid, { ...calm, local: true })).toEqual(block.bytes)
    await expect(own.blocks.get(wrong.cid, { ...calm, local: true })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(own.fetched).toEqual([])
    own.elsewhere.set(wrong.cid.toString(), wrong.bytes)
    expect(await own.blocks.get(wrong.cid, calm)).toEqual(wrong.bytes)
    expect(await own.blocks.has(wrong.cid)).toBe(true)
    // Whatever is stored under the CID, what others have replaces it.
    await own.blocks.putMany([{ cid: wrong.cid, bytes: Uint8Array.of(1) }])
    await own.blocks.get(wrong.cid, { ...calm, remote: true })
    expect(await own.blocks.get(wrong.cid, { ...calm, local: true })).toEqual(wrong.bytes)
    expect(own.announced).toHaveLength(4)
  })

  it('are fetched once for a reader that looked into the store just before another got the block', async () => {
    const own = await peer()
    const block = await rawBlock('elsewhere')
    own.elsewhere.set(block.cid.toString(), block.bytes)
    const { blocks } = own.tables
    const read = blocks.getSound.bind(blocks)
    const gate = Promise.withResolvers<void>()
    const looked = Promise.withResolvers<void>()
    blocks.getSound = async (key) => {
      const found = await read(key)
      looked.resolve()
      await gate.promise
      return found
    }
    const late = own.blocks.get(block.cid, calm)
    await looked.promise
    blocks.getSound = read
    expect(await own.blocks.get(block.cid, calm)).toEqual(block.bytes)
    gate.resolve()
    expect(await late).toEqual(block.bytes)
    expect(own.fetched).toHaveLength(1)
    // One that is gone again is fetched again.
    await own.blocks.delete(block.cid)
    expect(await own.blocks.get(block.cid, calm)).toEqual(block.bytes)
    expect(own.fetched).toHaveLength(2)
  })

  it('are written once for readers that get them together', async () => {
    const own = await peer()
    const block = await rawBlock('elsewhere')
    own.elsewhere.set(block.cid.toString(), block.bytes)
    await Promise.all(Array.from({ length: 5 }, async () => await own.blocks.get(block.cid, calm)))
    expect(own.announced).toEqual([block.cid.toString()])
    expect(await own.blocks.has(block.cid)).toBe(true)
  })

  it('of others are handed out although the own disk is full', async () => {
    const own = await peer()
    const block = await rawBlock('elsewhere')
    own.elsewhere.set(block.cid.toString(), block.bytes)
    Object.assign(own.tables.blocks, {
      write: async () => {
        throw new P2plError({ code: 'STORAGE', message: 'full' })
      }
    })
    expect(await own.blocks.get(block.cid, calm)).toEqual(block.bytes)
    await expect(own.blocks.pin(block.cid, calm)).rejects.toMatchObject({ code: 'STORAGE' })
    expect(await collect(own.blocks.pins())).toEqual([])
  })

  it('that come while a gc runs are not taken by it', async () => {
    const own = await peer()
    const old = await Promise.all(Array.from({ length: 600 }, (_, i) => rawBlock(`old ${i}`)))
    await own.blocks.putMany(old)
    const taken = own.blocks.gc(calm)
    const first = await taken.next()
    await own.blocks.putMany(old)
    const rest = await collect(taken)
    expect(first.done).toBe(false)
    // Those of the first batch are stored again, and the others were seen in time.
    expect(rest.length).toBeLessThan(256)
    for (const { cid } of old.slice(256)) expect(await own.blocks.has(cid)).toBe(true)
  })
})
