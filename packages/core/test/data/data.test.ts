import { seededBytes } from '@p2pl/tooling-vitest'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { aroundCalls } from '../../src/around/around-calls.ts'
import { createBlocks } from '../../src/data/blocks.ts'
import { createData } from '../../src/data/data.ts'
import { contextOf, ManualClock, settle, storeBackend } from './store-backend.ts'
import { codeOf, mebibyte, never, text } from './support.ts'

describe('reading', () => {
  it('streams, and counts its timeout from block to block', async () => {
    const clock = new ManualClock()
    const backend = await storeBackend()
    const data = createData(contextOf(backend, { clock, timeouts: { get: 100 } }))
    const { cid } = await data.add(seededBytes(3 * mebibyte, 1))
    const releases: (() => void)[] = []
    backend.onGet = (asked) =>
      new Promise((resolve) => {
        releases.push(() => {
          resolve(backend.map.get(asked.multihash.bytes.join()) as Uint8Array)
        })
      })
    const work = data.bytes(cid)
    for (let i = 0; i < 4; i++) {
      await settle()
      clock.advance(99)
      releases[i]?.()
    }
    expect((await work).byteLength).toBe(3 * mebibyte)
    const late = codeOf(data.bytes(cid))
    await settle()
    clock.advance(100)
    expect(await late).toBe('TIMEOUT')
    expect(clock.pending).toBe(0)
  })

  it('checks the size before it fetches it all', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const { cid } = await data.add(seededBytes(3 * mebibyte, 1))
    backend.asked.length = 0
    expect(await codeOf(data.bytes(cid, { maxBytes: mebibyte }))).toBe('TOO_LARGE')
    expect(backend.asked).toHaveLength(1)
    expect((await data.bytes(cid, { maxBytes: mebibyte, offset: 1, length: mebibyte })).byteLength).toBe(mebibyte)
  })

  it('takes CIDs in any base, and says what is wrong with other texts', async () => {
    const data = createData(contextOf(await storeBackend()))
    const { cid } = await data.add(text('hello'))
    const { base58btc } = await import('multiformats/bases/base58')
    const { base16 } = await import('multiformats/bases/base16')
    const { base64url } = await import('multiformats/bases/base64')
    for (const base of [base58btc, base16, base64url]) {
      expect(new TextDecoder().decode(await data.bytes(cid.toString(base)))).toBe('hello')
    }
    for (const input of ['', 'x', 'bafkrei', `${cid.toString()}/a`, 'x'.repeat(20_000), 5, null, {}]) {
      expect(await codeOf(data.bytes(input as string))).toBe('INVALID_ARGUMENT')
    }
    await expect(data.stat(`${cid.toString()}/a.txt`)).rejects.toMatchObject({
      message: expect.stringContaining('@p2pl/unixfs')
    })
  })

  it('gives hints to the backend', async () => {
    const backend = await storeBackend()
    const seen: unknown[] = []
    const watched = aroundCalls({
      call: async (call, run) => {
        const { local, providers } = call.options
        if (call.operation === 'blocks.get') seen.push({ local, providers })
        return await run()
      }
    })(backend)
    const data = createData(contextOf(watched))
    const { cid } = await data.add(seededBytes(mebibyte + 1, 1))
    const providers = [{ network: 'store', id: 'them', addresses: ['/ip4/127.0.0.1'] }]
    await data.bytes(cid, { local: true, providers })
    expect(seen).toHaveLength(3)
    for (const hint of seen) expect(hint).toEqual({ local: true, providers })
  })

  it('fetches a block whose stored bytes are wrong from others, and keeps the good one', async () => {
    const backend = await storeBackend({ blocks: { remote: true } })
    const { cid } = await createData(contextOf(backend)).add(text('precious'))
    const [name] = [...backend.map.keys()]
    const good = backend.map.get(name as string) as Uint8Array
    backend.map.set(name as string, text('damaged!'))
    const watched = aroundCalls({
      call: async (call, run) => {
        if (call.operation === 'blocks.get' && call.options.remote === true) return good as never
        return await run()
      }
    })(backend)
    expect(await createData(contextOf(watched)).bytes(cid)).toEqual(good)
    expect(backend.map.get(name as string)).toEqual(good)
    expect(await codeOf(createData(contextOf(backend)).bytes(cid, { local: true }))).toBe('no error')
  })

  it('names the block that nobody gave when the time is over', async () => {
    const clock = new ManualClock()
    const backend = await storeBackend()
    const data = createData(contextOf(backend, { clock, timeouts: { get: 100 } }))
    const { cid } = await data.add(text('x'))
    backend.onGet = never
    const late = expect(data.bytes(cid)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(cid.toString()) as string
    })
    await settle()
    clock.advance(100)
    await late
  })

  it('keeps the backend’s errors', async () => {
    const data = createData(contextOf(await storeBackend()))
    await expect(data.bytes('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      backend: 'store'
    })
  })

  it('ends when the peer stops', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const { cid } = await data.add(text('x'))
    backend.onGet = never
    const stuck = codeOf(data.bytes(cid))
    await settle()
    await data.stop()
    expect(await stuck).toBe('NOT_RUNNING')
    expect(await codeOf(data.bytes(cid))).toBe('NOT_RUNNING')
  })
})

describe('data.has', () => {
  it('walks files and DAG-CBOR, and finds each hole', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const file = await data.add(seededBytes(2 * mebibyte + 1, 1))
    const bytes = encodeCbor({ file: file.cid, list: [1, { again: file.cid }], nothing: null, bin: new Uint8Array(3) })
    const root = CID.createV1(0x71, await sha256.digest(bytes))
    await backend.blocks.putMany([{ cid: root, bytes }])
    expect(await data.has(root)).toBe(true)
    expect(await data.has(root, { deep: false })).toBe(true)
    const keys = Array.from(backend.map.keys())
    for (const key of keys) {
      const held = backend.map.get(key) as Uint8Array
      backend.map.delete(key)
      expect(await data.has(root)).toBe(false)
      backend.map.set(key, held)
    }
    const unknown = CID.createV1(0x129, await sha256.digest(bytes))
    expect(await codeOf(data.has(unknown))).toBe('UNSUPPORTED')
    expect(await data.has(unknown, { deep: false })).toBe(true)
  })
})

describe('identity CIDs', () => {
  it('never reach the backend', async () => {
    const backend = await storeBackend({ routing: undefined as never })
    const data = createData(contextOf(backend))
    const blocks = createBlocks(contextOf(backend))
    const cid = CID.createV1(0x55, identity.digest(text('inline')))
    expect(new TextDecoder().decode(await data.bytes(cid))).toBe('inline')
    expect(new TextDecoder().decode(await blocks.get(cid))).toBe('inline')
    expect(await data.has(cid)).toBe(true)
    expect(await blocks.has(cid)).toBe(true)
    await blocks.delete(cid)
    await data.pin(cid)
    await blocks.putMany([{ cid, bytes: text('inline') }])
    expect([backend.asked.length, backend.pinned.size, backend.map.size]).toEqual([0, 0, 0])
  })
})

describe('blocks', () => {
  it('are stored under sha2-256, verified when read, and checked before they are stored', async () => {
    const backend = await storeBackend()
    const blocks = createBlocks(contextOf(backend))
    const cid = await blocks.put(Buffer.from('hello'))
    expect(cid.toString()).toBe('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
    expect((await blocks.get(cid)).constructor).toBe(Uint8Array)
    expect((await blocks.put(text('x'), { codec: 0x71 })).code).toBe(0x71)
    backend.onGet = async () => text('hellO')
    expect(await codeOf(blocks.get(cid))).toBe('INVALID_CONTENT')
    expect(await createBlocks(contextOf(backend, { trust: 'backend' })).get(cid)).toEqual(text('hellO'))
    expect(await codeOf(blocks.put(new Uint8Array(2 * mebibyte + 1)))).toBe('TOO_LARGE')
    expect(await codeOf(blocks.put('text' as never))).toBe('INVALID_ARGUMENT')
    expect(await codeOf(blocks.put(text('x'), { codec: -1 }))).toBe('INVALID_ARGUMENT')
    expect(await codeOf(blocks.putMany([{ cid: 'x' as never, bytes: text('x') }]))).toBe('INVALID_ARGUMENT')
    const blake = CID.createV1(0x55, { code: 0x1e, digest: new Uint8Array(32), size: 32, bytes: new Uint8Array(34) })
    expect(await codeOf(blocks.putMany([{ cid: blake, bytes: text('x') }]))).toBe('UNSUPPORTED')
    const broken = new Error('own')
    await expect(
      blocks.putMany(
        (function* () {
          yield* []
          throw broken
        })()
      )
    ).rejects.toBe(broken)
  })
})
