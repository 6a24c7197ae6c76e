import { isP2plError } from '@p2pl/core/backend'
import type { Backend, ErrorCode, Progress } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryNetwork, createMemoryStore, memory } from '../src/index.ts'
import { collect, nodeBlock, rawBlock, settled } from '@p2pl/tooling-vitest/blocks'

const store = createMemoryStore()
let a: Backend
let b: Backend

beforeEach(async () => {
  const network = createMemoryNetwork()
  store.clear()
  ;[a, b] = [memory({ network, store }), memory({ network })]
  await a.start()
  await b.start()
})

afterEach(async () => {
  await a.stop()
  await b.stop()
})

function refusal(code: ErrorCode): unknown {
  return expect.toSatisfy((error: unknown) => isP2plError(error, code) && error.backend === 'memory')
}

describe('pins', () => {
  it('hold what is below the root, also what arrives while the pin is under way', async () => {
    const [here, far] = [await rawBlock('here'), await rawBlock('far')]
    const root = await nodeBlock({ here: here.cid, far: far.cid })
    await a.blocks!.putMany([root, here])
    const pinning = a.blocks!.pin(root.cid)
    await settled()
    expect(await collect(a.blocks!.gc())).toEqual([])
    await b.blocks!.putMany([far])
    await pinning
    await expect(a.blocks!.delete(far.cid)).rejects.toEqual(refusal('PINNED'))
    await a.blocks!.unpin(root.cid)
    expect(await collect(a.blocks!.gc())).toHaveLength(3)
  })

  it('that fail or are aborted hold nothing', async () => {
    const child = await rawBlock('child')
    const root = await nodeBlock([child.cid, (await rawBlock('nowhere')).cid])
    await a.blocks!.putMany([root, child])
    const stop = new AbortController()
    const pinning = a.blocks!.pin(root.cid, { signal: stop.signal })
    await settled()
    stop.abort()
    await expect(pinning).rejects.toEqual(refusal('ABORTED'))
    await settled()
    expect(await collect(a.blocks!.pins())).toEqual([])
    expect(await collect(a.blocks!.gc())).toHaveLength(2)
  })

  it('of overlapping graphs end one by one', async () => {
    const shared = await rawBlock('shared')
    const [left, right] = [await nodeBlock({ left: shared.cid }), await nodeBlock({ right: shared.cid })]
    await a.blocks!.putMany([shared, left, right])
    await Promise.all([left, right, left].map(({ cid }) => a.blocks!.pin(cid)))
    await a.blocks!.unpin(left.cid)
    expect((await collect(a.blocks!.gc())).map(String)).toEqual([left.cid.toString()])
    await a.blocks!.unpin(right.cid)
    expect(await collect(a.blocks!.gc())).toHaveLength(2)
  })

  it('made again fetch what is missing below them, and end although it is missing', async () => {
    const leaf = await rawBlock('leaf')
    const root = await nodeBlock([leaf.cid])
    await b.blocks!.putMany([root, leaf])
    await a.blocks!.pin(root.cid)
    store.blocks.clear()
    await a.blocks!.pin(root.cid)
    for (const { cid, bytes } of [root, leaf]) expect(await a.blocks!.get(cid, { local: true })).toEqual(bytes)
    store.blocks.clear()
    await a.blocks!.unpin(root.cid)
    expect(await collect(a.blocks!.pins())).toEqual([])
  })

  it('say how far they are, and stop at their size bound', async () => {
    const leaves = await Promise.all(['one', 'two', 'three'].map((text) => rawBlock(text)))
    const root = await nodeBlock(leaves.map(({ cid }) => cid))
    await b.blocks!.putMany([root, ...leaves])
    const bytes = root.bytes.byteLength + 'onetwothree'.length
    await expect(a.blocks!.pin(root.cid, { maxBytes: bytes - 1 })).rejects.toEqual(refusal('TOO_LARGE'))
    expect(await collect(a.blocks!.pins())).toEqual([])
    const progress: Progress[] = []
    await a.blocks!.pin(root.cid, { maxBytes: bytes, onProgress: (now) => progress.push(now) })
    expect(progress.map(({ blocks }) => blocks)).toEqual([1, 2, 3, 4])
    expect(progress.at(-1)).toEqual({ blocks: 4, bytes })
  })

  it('take blocks with very many links, and with very long ones', async () => {
    const nothing = CID.createV1(0x55, identity.digest(new Uint8Array(0)))
    const long = CID.createV1(0x55, identity.digest(new Uint8Array(500_000)))
    const many = await nodeBlock([...Array.from({ length: 150_000 }, () => nothing), long])
    await a.blocks!.putMany([many])
    await a.blocks!.pin(many.cid)
    expect(await collect(a.blocks!.gc())).toEqual([])
  })

  it('say which codec they cannot look into, and refuse bytes that are not of their codec', async () => {
    const bytes = new TextEncoder().encode('no such thing')
    const digest = await sha256.digest(bytes)
    const [unknown, wrong] = [CID.createV1(0x300000, digest), CID.createV1(0x71, digest)]
    await a.blocks!.putMany([{ cid: unknown, bytes }])
    await expect(a.blocks!.pin(unknown)).rejects.toEqual(refusal('UNSUPPORTED'))
    await expect(a.blocks!.pin(wrong)).rejects.toEqual(refusal('INVALID_CONTENT'))
    await a.blocks!.pin(unknown, { recursive: false })
    expect(await collect(a.blocks!.gc())).toEqual([])
  })
})
