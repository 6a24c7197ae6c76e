import { P2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { calm, collect, leaf } from './support/blocks.ts'
import { peer } from './support/stores.ts'

describe('stored blocks', () => {
  it('are got from the own store, from others, or only from one of the two', async () => {
    const own = await peer()
    const block = await leaf('here')
    const wrong = await leaf('wrong')
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

  it('of others are handed out although the own disk is full', async () => {
    const own = await peer()
    const block = await leaf('elsewhere')
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
    const old = await Promise.all(Array.from({ length: 600 }, (_, i) => leaf(`old ${i}`)))
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
