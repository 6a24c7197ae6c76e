import { encode, prepare } from '@ipld/dag-pb'
import { seededBytes, withSeed } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { readFile } from '../../src/content/reader.ts'
import { createData } from '../../src/data/data.ts'
import { collect, contextOf, settle, storeBackend } from '../data/store-backend.ts'
import { codeOf, put, putFile, putNode, text } from './support.ts'

describe('ranges', () => {
  it('give exactly what a slice would, and fetch nothing else', async () => {
    await withSeed(20261123, async (seed) => {
      const bytes = seededBytes(5_000, seed)
      const backend = await storeBackend()
      const cid = await putFile(backend, bytes, 64, 4)
      const data = createData(contextOf(backend))
      const position = fc.integer({ min: 0, max: 5_200 })
      await fc.assert(
        fc.asyncProperty(position, fc.option(position, { nil: undefined }), async (offset, length) => {
          backend.asked.length = 0
          const read = await collect(data.get(cid, { offset, length }))
          const expected = bytes.subarray(offset, length === undefined ? undefined : offset + length)
          expect(Buffer.compare(read, expected)).toBe(0)
          const leaves = backend.asked.filter((asked) => CID.parse(asked).code === 0x55).length
          const first = Math.floor(offset / 64)
          const last = Math.ceil(Math.min(5_000, offset + expected.byteLength) / 64)
          expect(leaves).toBe(expected.byteLength === 0 ? 0 : last - first)
          // Six levels at most, and a range touches few nodes of each.
          expect(new Set(backend.asked).size).toBe(backend.asked.length)
        }),
        { seed, numRuns: 150 }
      )
    })
  })

  it.each([[-1], [1.5], [Number.NaN], [2 ** 60], ['1']])('refuse an offset of %s', async (offset) => {
    const backend = await storeBackend()
    const cid = await putFile(backend, text('x'), 64, 4)
    const data = createData(contextOf(backend))
    expect(await codeOf(data.bytes(cid, { offset: offset as number }))).toBe('INVALID_ARGUMENT')
    expect(await codeOf(data.bytes(cid, { length: offset as number }))).toBe('INVALID_ARGUMENT')
  })
})

describe('files laid out otherwise', () => {
  it('with data in inner nodes, identity CIDs, dag-pb leaves and sha2-512 are read in order', async () => {
    const backend = await storeBackend({ blocks: { hashes: [0x12, 0x13] } })
    const raw = await put(backend, 0x55, text('-raw-'))
    const inline = CID.createV1(0x55, identity.digest(text('-identity-')))
    const leafNode = encode(prepare({ Data: new UnixFS({ type: 'raw', data: text('-leaf-') }).marshal(), Links: [] }))
    const leaf = CID.createV0(await sha256.digest(leafNode))
    backend.map.set(leaf.multihash.bytes.join(), leafNode)
    const long = CID.createV1(0x55, await sha512.digest(text('-long-')))
    backend.map.set(long.multihash.bytes.join(), text('-long-'))
    const inner = await putNode(
      backend,
      [
        { cid: leaf, size: 6 },
        { cid: raw, size: 5 }
      ],
      text('[inner]')
    )
    const root = await putNode(
      backend,
      [
        { cid: inline, size: 10 },
        { cid: inner, size: 18 },
        { cid: long, size: 6 },
        { cid: raw, size: 5 }
      ],
      text('[root]')
    )
    const expected = '[root]-identity-[inner]-leaf--raw--long--raw-'
    const data = createData(contextOf(backend))
    expect(new TextDecoder().decode(await data.bytes(root))).toBe(expected)
    expect(await data.stat(root)).toMatchObject({ kind: 'file', size: expected.length })
    for (let offset = 0; offset < expected.length; offset++) {
      const part = await data.bytes(root, { offset, length: 9 })
      expect(new TextDecoder().decode(part)).toBe(expected.slice(offset, offset + 9))
    }
    expect(backend.asked).not.toContain(inline.toString())
  })

  it('a CID of another version or base is the same content', async () => {
    const backend = await storeBackend()
    const bytes = encode(prepare({ Data: new UnixFS({ type: 'file', data: text('v0') }).marshal(), Links: [] }))
    const cid = CID.createV0(await sha256.digest(bytes))
    backend.map.set(cid.multihash.bytes.join(), bytes)
    const data = createData(contextOf(backend))
    expect(cid.toString()).toMatch(/^Qm/)
    expect(new TextDecoder().decode(await data.bytes(cid.toString()))).toBe('v0')
    expect(new TextDecoder().decode(await data.bytes(cid.toV1().toString()))).toBe('v0')
  })

  it('other codecs are read as their bytes', async () => {
    const backend = await storeBackend()
    const cid = await put(backend, 0x71, new Uint8Array([0xa0]))
    const data = createData(contextOf(backend))
    expect(await data.bytes(cid)).toEqual(new Uint8Array([0xa0]))
    expect(await data.stat(cid)).toEqual({ cid, kind: 'block', size: 1 })
  })

  it.each(['directory', 'hamt-sharded-directory', 'symlink'] as const)('a %s is refused by name', async (type) => {
    const backend = await storeBackend()
    const cid = await put(backend, 0x70, encode(prepare({ Data: new UnixFS({ type }).marshal(), Links: [] })))
    const data = createData(contextOf(backend))
    await expect(data.bytes(cid)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('@p2pl/unixfs')
    })
    if (type !== 'symlink') expect(await data.stat(cid)).toEqual({ cid, kind: 'directory' })
  })
})

describe('reading ahead', () => {
  it('keeps at most 32 blocks under way, and yields in order whatever arrives first', async () => {
    await withSeed(5, async (seed, random) => {
      const bytes = seededBytes(20_000, seed)
      const backend = await storeBackend()
      const cid = await putFile(backend, bytes, 64, 8)
      let underWay = 0
      let most = 0
      const pending: (() => void)[] = []
      const chunks = readFile(cid, {
        operation: 'test',
        range: { offset: 0, length: Infinity },
        fetch: async (asked) => {
          underWay++
          most = Math.max(most, underWay)
          await new Promise<void>((resolve) => pending.push(resolve))
          underWay--
          return await backend.blocks.get(asked)
        }
      })
      let done = false
      const work = collect(chunks).finally(() => {
        done = true
      })
      for (;;) {
        await settle()
        if (done) break
        pending.splice(Math.floor(random() * pending.length), 1)[0]?.()
      }
      expect(Buffer.compare(await work, bytes)).toBe(0)
      expect(most).toBe(32)
    })
  })

  it('keeps at most 16 MiB under way', async () => {
    const backend = await storeBackend()
    const leaf = await put(backend, 0x55, seededBytes(1024 * 1024, 1))
    const cid = await putNode(
      backend,
      Array.from({ length: 100 }, () => ({ cid: leaf, size: 1024 * 1024 }))
    )
    let asked = 0
    const chunks = readFile(cid, {
      operation: 'test',
      range: { offset: 0, length: Infinity },
      fetch: async (block) => {
        if (block.code === 0x55) {
          asked++
          return await new Promise<Uint8Array>(() => undefined)
        }
        return await backend.blocks.get(block)
      }
    })
    void chunks.next()
    await settle()
    expect(asked).toBe(16)
  })

  it('stops when the reader does', async () => {
    const backend = await storeBackend()
    const cid = await putFile(backend, seededBytes(20_000, 1), 64, 8)
    const signals: AbortSignal[] = []
    const chunks = createData(contextOf(backend)).get(cid)
    let leaves = 0
    backend.onGet = (block, signal) => {
      if (block.code !== 0x55 || ++leaves <= 3) return undefined
      signals.push(signal)
      return new Promise(() => undefined)
    }
    await chunks.next()
    const stuck = collect({ [Symbol.asyncIterator]: () => chunks })
    await settle()
    const asked = backend.asked.length
    // Also while a `next` is pending: it ends, and with it the fetches under way.
    await chunks.return?.()
    await stuck
    expect(signals.every((signal) => signal.aborted)).toBe(true)
    await settle()
    expect(backend.asked.length).toBe(asked)
    expect(await chunks.next()).toEqual({ done: true, value: undefined })
  })
})
