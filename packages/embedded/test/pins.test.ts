import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { openPins } from '../src/index.ts'
import { collect, nodeBlock, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { calm } from './support/calm.ts'
import { folder, peer, type Peer } from './support/stores.ts'

/** A DAG of one root and its leaves, stored. */
async function store({ blocks }: Peer, count: number, name = 'leaf') {
  const leaves = await Promise.all(Array.from({ length: count }, (_, i) => rawBlock(`${name} ${i}`)))
  const root = await nodeBlock(leaves.map(({ cid }) => cid))
  await blocks.putMany([...leaves, root])
  return { root, leaves }
}

const pinned = async ({ blocks }: Peer) => (await collect(blocks.pins())).map(({ cid }) => cid.toString())

describe.each(['memory', 'folder'])('pins in %s', (where) => {
  const here = () => peer(where === 'folder' ? folder() : undefined)

  it('hold their blocks from delete and gc, each as long as one of them names it', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 3_000)
    const other = await nodeBlock({ shares: leaves[0]?.cid })
    await own.blocks.putMany([other])
    await own.blocks.pin(root.cid, calm)
    await own.blocks.pin(other.cid, calm)
    await expect(own.blocks.delete(leaves[7]!.cid)).rejects.toSatisfy((error) => isP2plError(error, 'PINNED'))
    expect(await collect(own.blocks.gc(calm))).toEqual([])
    await own.blocks.unpin(root.cid)
    await expect(own.blocks.delete(leaves[0]!.cid)).rejects.toMatchObject({ code: 'PINNED' })
    expect((await collect(own.blocks.gc(calm))).length).toBe(3_000)
    await own.blocks.unpin(other.cid)
    expect((await collect(own.blocks.gc(calm))).length).toBe(2)
  })

  it('that are aborted while they walk or are written leave no pin, and let their blocks go at once', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 8_000)
    for (const share of [0.1, 0.7, 1]) {
      const abort = new AbortController()
      const pinning = own.blocks.pin(root.cid, {
        signal: abort.signal,
        onProgress: ({ blocks }) => {
          if (blocks === Math.ceil(share * 8_001)) abort.abort(new Error('enough'))
        }
      })
      await expect(pinning).rejects.toThrow('enough')
      expect(await pinned(own)).toEqual([])
      expect(await own.pins.holds(leaves[0]!.cid.multihash.bytes)).toBe(false)
    }
    await own.blocks.delete(leaves[0]!.cid)
    expect((await collect(own.blocks.gc(calm))).length).toBe(8_000)
    expect(await collect(own.tables.pins.keys())).toEqual([])
  })

  it('fetch what is missing when they are made, and again when they are made again', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 5)
    await own.blocks.pin(root.cid, calm)
    for (const lost of [leaves[3]!, root]) {
      await own.tables.blocks.write([{ key: lost.cid.multihash.bytes, value: undefined }])
      await expect(own.blocks.pin(root.cid, { signal: AbortSignal.timeout(20) })).rejects.toThrow()
      own.elsewhere.set(lost.cid.toString(), lost.bytes)
      await own.blocks.pin(root.cid, calm)
      expect(await own.blocks.has(lost.cid)).toBe(true)
    }
    expect(await pinned(own)).toEqual([root.cid.toString()])
  })

  it('end although their blocks are gone', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 2_000)
    await own.blocks.pin(root.cid, calm)
    for (const { cid } of [root, leaves[0]!])
      await own.tables.blocks.write([{ key: cid.multihash.bytes, value: undefined }])
    await own.blocks.unpin(root.cid)
    expect(await pinned(own)).toEqual([])
    expect((await collect(own.blocks.gc(calm))).length).toBe(1_999)
    expect(await collect(own.tables.pins.keys())).toEqual([])
  })

  it('of one block become recursive, and not the other way round', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 3)
    await own.blocks.pin(root.cid, { ...calm, recursive: false })
    expect(await own.pins.holds(leaves[0]!.cid.multihash.bytes)).toBe(false)
    await own.blocks.pin(root.cid, calm)
    await own.blocks.pin(root.cid, { ...calm, recursive: false })
    expect(await collect(own.blocks.pins())).toEqual([{ cid: root.cid, recursive: true }])
    await own.blocks.unpin(root.cid)
    expect(await collect(own.tables.pins.keys())).toEqual([])
  })

  it('have a bound in bytes, and tell how far they are', async () => {
    const own = await here()
    const { root, leaves } = await store(own, 10)
    const bytes = leaves.reduce((sum, each) => sum + each.bytes.length, root.bytes.length)
    const seen: number[] = []
    await expect(own.blocks.pin(root.cid, { ...calm, maxBytes: bytes - 1 })).rejects.toMatchObject({
      code: 'TOO_LARGE'
    })
    expect(await pinned(own)).toEqual([])
    await own.blocks.pin(root.cid, { ...calm, maxBytes: bytes, onProgress: (progress) => seen.push(progress.bytes) })
    expect(seen.at(-1)).toBe(bytes)
  })

  it('pass through wide and deep blocks', async () => {
    const own = await here()
    const last = await rawBlock('last')
    let deep: unknown = last.cid
    for (let depth = 0; depth < 500; depth++) deep = [deep]
    const root = await nodeBlock({ wide: Array.from({ length: 200_000 }, (_, i) => i), deep })
    await own.blocks.putMany([last, root])
    await own.blocks.pin(root.cid, calm)
    expect(await own.pins.holds(last.cid.multihash.bytes)).toBe(true)
  })
})

it('a pin that the end of the process cut short is cleared away by the next start', async () => {
  const own = await peer(folder())
  const { root, leaves } = await store(own, 2_500)
  const { pins: table } = own.tables
  const abort = new AbortController()
  // The table stops taking writes in the middle of the list, as that of a killed process does.
  let writes = 0
  const dying = {
    get: table.get.bind(table),
    getSound: table.getSound.bind(table),
    has: table.has.bind(table),
    length: table.length.bind(table),
    keys: table.keys.bind(table),
    size: table.size.bind(table),
    reclaim: table.reclaim.bind(table),
    sweep: table.sweep.bind(table),
    write: async (...args: Parameters<typeof table.write>) => {
      if (++writes > 2) throw new Error('killed')
      await table.write(...args)
    }
  }
  const visit = async (cid: typeof root.cid) => (cid.equals(root.cid) ? leaves.map((each) => each.cid) : [])
  const made = (await openPins(dying)).add({ root: root.cid, recursive: true, signal: abort.signal, visit })
  await expect(made).rejects.toThrow('killed')
  expect((await collect(table.keys())).length).toBeGreaterThan(1_000)
  await openPins(table)
  expect(await collect(table.keys())).toEqual([])
})
