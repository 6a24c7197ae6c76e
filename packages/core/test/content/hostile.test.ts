import { encode, prepare } from '@ipld/dag-pb'
import { seededBytes } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { collect, contextOf, storeBackend } from '../data/store-backend.ts'
import { codeOf, put, putFile, putNode, text } from './support.ts'

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
