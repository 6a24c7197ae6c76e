import { encode, prepare } from '@ipld/dag-pb'
import { seededBytes, withSeed } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { readFile } from '../../src/content/reader.ts'
import { writeFile } from '../../src/content/writer.ts'
import { createData } from '../../src/data/data.ts'
import { isP2plError } from '../../src/errors.ts'
import { collect, contextOf, settle, type StoreBackend, storeBackend } from '../data/store-backend.ts'

interface Link {
  cid: CID
  size: number
}

async function put(backend: StoreBackend, codec: number, bytes: Uint8Array): Promise<CID> {
  const cid = CID.createV1(codec, await sha256.digest(bytes))
  backend.map.set(cid.multihash.bytes.join(), bytes)
  return cid
}

async function putNode(backend: StoreBackend, links: Link[], data?: Uint8Array): Promise<CID> {
  // ipfs-unixfs writes sizes from 2^31 to 2^32 wrongly, so it encodes only what core never writes.
  if (data === undefined) {
    return await put(
      backend,
      0x70,
      encodeInnerNode(links.map(({ cid, size }) => ({ cid, contentBytes: size, blockBytes: 1 })))
    )
  }
  const unixfs = new UnixFS({ type: 'file', blockSizes: links.map((link) => BigInt(link.size)), data })
  return await put(
    backend,
    0x70,
    encode(prepare({ Data: unixfs.marshal(), Links: links.map(({ cid }) => ({ Name: '', Hash: cid, Tsize: 1 })) }))
  )
}

async function putFile(backend: StoreBackend, bytes: Uint8Array, chunkBytes: number, maxLinks: number): Promise<CID> {
  const { cid } = await writeFile(bytes, {
    layout: { chunkBytes, maxLinks },
    operation: 'test',
    store: async (blocks) => {
      await backend.blocks.putMany(blocks)
    },
    next: (work) => work
  })
  return cid
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (isP2plError(error) ? error.code : String(error))
  )
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

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

describe('hostile content', () => {
  it('that does not hash to its CID is refused, unless the backend is trusted', async () => {
    const backend = await storeBackend()
    const cid = await putFile(backend, seededBytes(1_000, 1), 64, 4)
    backend.onGet = async (asked) =>
      asked.code === 0x55 ? new Uint8Array(64) : (backend.map.get(asked.multihash.bytes.join()) as Uint8Array)
    const error: unknown = await createData(contextOf(backend))
      .bytes(cid)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'INVALID_CONTENT', backend: 'store', operation: 'data.bytes' })
    const trusted = createData(contextOf(backend, { trust: 'backend' }))
    // A trusted backend is believed what it says about blocks, not that their sizes fit.
    expect(await codeOf(trusted.bytes(cid))).toBe('INVALID_CONTENT')
    expect(await codeOf(trusted.bytes(cid, { offset: 0, length: 64 }))).toBe('no error')
  })

  it('of an unknown or shortened hash is refused before it is fetched', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const { digest } = await sha256.digest(text('x'))
    const blake = CID.createV1(0x55, { code: 0x1e, digest, size: 32, bytes: new Uint8Array([0x1e, 32, ...digest]) })
    const short = CID.createV1(0x55, {
      code: 0x12,
      digest: digest.subarray(0, 4),
      size: 4,
      bytes: new Uint8Array([0x12, 4, ...digest.subarray(0, 4)])
    })
    await expect(data.bytes(blake)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('0x1e')
    })
    await expect(data.bytes(short)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('4 bytes')
    })
    expect(backend.asked).toEqual([])
  })

  it('that contradicts itself is refused', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const raw = await put(backend, 0x55, text('12345'))
    const directory = await put(
      backend,
      0x70,
      encode(prepare({ Data: new UnixFS({ type: 'directory' }).marshal(), Links: [] }))
    )
    const cbor = await put(backend, 0x71, new Uint8Array([0xa0]))
    const wrong: CID[] = [
      await putNode(backend, [{ cid: raw, size: 4 }]),
      await putNode(backend, [{ cid: raw, size: 6 }]),
      await putNode(backend, [{ cid: await putNode(backend, [{ cid: raw, size: 5 }]), size: 9 }]),
      await putNode(backend, [{ cid: directory, size: 5 }]),
      await putNode(backend, [{ cid: cbor, size: 1 }]),
      await putNode(backend, [
        { cid: raw, size: Number.MAX_SAFE_INTEGER },
        { cid: raw, size: Number.MAX_SAFE_INTEGER }
      ]),
      await put(
        backend,
        0x70,
        encode(
          prepare({
            Data: new UnixFS({ type: 'file', blockSizes: [5n, 5n] }).marshal(),
            Links: [{ Name: '', Hash: raw, Tsize: 5 }]
          })
        )
      ),
      await put(backend, 0x70, encode(prepare({ Links: [] }))),
      await put(backend, 0x70, text('garbage')),
      await putNode(
        backend,
        Array.from({ length: 8_193 }, () => ({ cid: raw, size: 5 }))
      ),
      CID.createV1(0x70, identity.digest(text('garbage')))
    ]
    for (const cid of wrong) expect(await codeOf(collect(data.get(cid)))).toBe('INVALID_CONTENT')
    const huge = CID.createV1(0x55, identity.digest(new Uint8Array(5_000)))
    expect(await codeOf(data.bytes(huge))).toBe('TOO_LARGE')
  })

  it('of any bytes as a node never does more than fail', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const raw = await put(backend, 0x55, text('12345'))
    const valid = encode(
      prepare({
        Data: new UnixFS({ type: 'file', blockSizes: [5n, 5n] }).marshal(),
        Links: [
          { Name: '', Hash: raw, Tsize: 5 },
          { Name: '', Hash: raw, Tsize: 5 }
        ]
      })
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = valid.slice()
          for (const [at, value] of changes) bytes[at] = value
          const cid = await put(backend, 0x70, bytes)
          expect(['no error', 'INVALID_CONTENT', 'UNSUPPORTED', 'NOT_FOUND', 'TOO_LARGE']).toContain(
            await codeOf(collect(data.get(cid, { length: 1_000 })))
          )
        }
      ),
      { seed: 3, numRuns: 300 }
    )
  })

  it('deeper than 32 levels is refused, however much of it there is', async () => {
    const backend = await storeBackend()
    let cid = await put(backend, 0x55, text('x'))
    let size = 1
    const roots: CID[] = []
    for (let level = 0; level < 34; level++) {
      cid = await putNode(backend, [
        { cid, size },
        { cid, size }
      ])
      size *= 2
      roots.push(cid)
    }
    const data = createData(contextOf(backend))
    expect(await data.bytes(roots[4] as CID)).toEqual(new Uint8Array(32).fill(0x78))
    expect((await data.stat(roots[33] as CID)).size).toBe(2 ** 34)
    expect(await codeOf(data.bytes(roots[31] as CID, { length: 3 }))).toBe('no error')
    expect(await codeOf(data.bytes(roots[33] as CID, { length: 3 }))).toBe('INVALID_CONTENT')
  })

  it('that is a few blocks linked over and over streams with bounded work ahead', async () => {
    const backend = await storeBackend()
    let cid = await put(backend, 0x55, seededBytes(100, 1))
    let size = 100
    for (let level = 0; level < 4; level++) {
      cid = await putNode(
        backend,
        Array.from({ length: 2_000 }, () => ({ cid, size }))
      )
      size *= 2_000
    }
    expect(size).toBe(1.6e15)
    let read = 0
    for await (const chunk of createData(contextOf(backend)).get(cid)) {
      read += chunk.byteLength
      // 32 blocks ahead, and 32 inner nodes at each of four levels at most.
      expect(backend.asked.length - read / 100).toBeLessThan(200)
      if (read >= 50_000) break
    }
    expect(read).toBe(50_000)
  })

  it('of empty children without end is not walked', async () => {
    const backend = await storeBackend()
    let cid = await put(backend, 0x55, new Uint8Array(0))
    for (let level = 0; level < 20; level++) {
      cid = await putNode(
        backend,
        Array.from({ length: 100 }, () => ({ cid, size: 0 }))
      )
    }
    const last = await put(backend, 0x55, text('end'))
    const root = await putNode(backend, [
      { cid, size: 0 },
      { cid: last, size: 3 }
    ])
    backend.asked.length = 0
    expect(new TextDecoder().decode(await createData(contextOf(backend)).bytes(root))).toBe('end')
    expect(backend.asked).toHaveLength(2)
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
