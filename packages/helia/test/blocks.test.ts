import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { isP2plError, type Block, type PeerInfo } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { describe, expect, test } from 'vitest'
import { maxBlockBytes } from '../src/capabilities.ts'
import { blockOf, collect, pair, put, same, selfOf, started, startMany, textBlock } from './helper.ts'
import { spawnScript } from './process.ts'

async function cborBlock(value: unknown): Promise<Block> {
  const bytes = dagCbor.encode(value)
  return { cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)), bytes }
}

/** A small DAG: dag-cbor root over a dag-pb node over two leaves. */
async function sampleDag(name: string): Promise<{ root: Block; all: Block[] }> {
  const leaves = [await textBlock(`${name} 1`), await textBlock(`${name} 2`)]
  const bytes = dagPb.encode(dagPb.prepare({ Links: leaves.map(({ cid }) => ({ Hash: cid, Name: '' })) }))
  const middle = { cid: CID.createV1(dagPb.code, await sha256.digest(bytes)), bytes }
  const root = await cborBlock({ name, deep: [{ link: middle.cid }], again: leaves.map(({ cid }) => cid) })
  return { root, all: [root, middle, ...leaves] }
}

const code = (expected: Parameters<typeof isP2plError>[1]) => (error: unknown) => isP2plError(error, expected)

describe('the own store', () => {
  test('keeps blocks by multihash, of each declared hash', async () => {
    const node = await started()
    const bytes = seededBytes(1_000, 1)
    for (const hasher of [sha256, sha512]) {
      const digest = await hasher.digest(bytes)
      await put(node, { cid: CID.createV1(raw.code, digest), bytes })
      expect(await node.blocks.get(CID.createV1(dagPb.code, digest), { local: true })).toEqual(bytes)
    }
    expect(await node.blocks.get(CID.createV0(await sha256.digest(bytes)), { local: true })).toEqual(bytes)
    const { cid } = await textBlock('elsewhere')
    expect(await node.blocks.has(cid)).toBe(false)
    await expect(node.blocks.get(cid, { local: true })).rejects.toSatisfy(code('NOT_FOUND'))
  })

  test('stores many in one call', async () => {
    const node = await started()
    const blocks = await Promise.all(Array.from({ length: 3_000 }, (_, i) => textBlock(`block ${i}`)))
    await node.blocks.putMany(blocks)
    for (const { cid } of blocks) expect(await node.blocks.has(cid)).toBe(true)
  })
})

describe('pins', () => {
  test('hold a whole DAG from delete and gc, until the last of them ends', async () => {
    const node = await started()
    const one = await sampleDag('one')
    const shared = await cborBlock({ over: one.root.cid })
    const loose = await textBlock('loose')
    await node.blocks.putMany([...one.all, shared, loose])
    await node.blocks.pin(one.root.cid)
    await node.blocks.pin(shared.cid)
    await node.blocks.pin(shared.cid)
    expect((await collect(node.blocks.pins())).map(({ cid }) => cid.toString()).toSorted()).toEqual(
      [one.root.cid, shared.cid].map(String).toSorted()
    )
    for (const { cid } of one.all) await expect(node.blocks.delete(cid)).rejects.toSatisfy(code('PINNED'))
    expect((await collect(node.blocks.gc())).map(({ multihash }) => multihash.bytes)).toEqual([
      loose.cid.multihash.bytes
    ])

    await node.blocks.unpin(one.root.cid)
    await node.blocks.unpin(one.root.cid)
    expect(await collect(node.blocks.gc())).toEqual([])
    await node.blocks.unpin(shared.cid)
    expect(await collect(node.blocks.gc())).toHaveLength(one.all.length + 1)
    for (const { cid } of one.all) expect(await node.blocks.has(cid)).toBe(false)
  })

  test('a recursive pin replaces a direct one, and a direct one does not weaken it', async () => {
    const node = await started()
    const { root, all } = await sampleDag('direct')
    await node.blocks.putMany(all)
    await node.blocks.pin(root.cid, { recursive: false })
    expect(await collect(node.blocks.pins())).toMatchObject([{ recursive: false }])
    await node.blocks.delete((all[2] as Block).cid)
    await put(node, all[2] as Block)
    await node.blocks.pin(root.cid)
    await node.blocks.pin(root.cid, { recursive: false })
    expect(await collect(node.blocks.pins())).toMatchObject([{ recursive: true }])
    await node.blocks.unpin(root.cid)
    expect(await collect(node.blocks.gc())).toHaveLength(all.length)
  })

  test('fetch what is missing', async () => {
    const [a, b] = await pair()
    const { root, all } = await sampleDag('remote')
    await a.blocks.putMany(all)
    await b.blocks.pin(root.cid, { signal: AbortSignal.timeout(100_000) })
    for (const { cid } of all) expect(await b.blocks.has(cid)).toBe(true)
  })

  test('an unknown codec is refused by name, and can be pinned directly', async () => {
    const node = await started()
    const bytes = seededBytes(10, 3)
    const cid = CID.createV1(0x71ff, await sha256.digest(bytes))
    await put(node, { cid, bytes })
    await expect(node.blocks.pin(cid)).rejects.toSatisfy(code('UNSUPPORTED'))
    await node.blocks.pin(cid, { recursive: false })
    await expect(node.blocks.delete(cid)).rejects.toSatisfy(code('PINNED'))
  })

  test('gc takes nothing that is put or pinned while it runs', async () => {
    const node = await started()
    const old = await Promise.all(Array.from({ length: 2_000 }, (_, i) => textBlock(`old ${i}`)))
    await node.blocks.putMany(old)
    const again = old.slice(0, 200)
    const { root, all } = await sampleDag('while')
    await node.blocks.putMany(all)
    const [taken] = await Promise.all([
      collect(node.blocks.gc()),
      (async () => {
        for (const block of again) await put(node, block)
      })(),
      node.blocks.pin(root.cid, { signal: AbortSignal.timeout(1_000) }).then(
        () => true,
        () => false
      )
    ])
    expect(taken.length).toBeGreaterThan(1_000)
    for (const { cid } of again) expect(await node.blocks.has(cid)).toBe(true)
    // Either the pin came too late to find its blocks, or it holds all of them.
    const pinned = await collect(node.blocks.pins())
    if (pinned.length > 0) for (const { cid } of all) expect(await node.blocks.has(cid)).toBe(true)
  })
})

describe('blocks of others', () => {
  test('come from a connected peer, and stay', async () => {
    const [a, b] = await pair()
    const block = await blockOf(seededBytes(maxBlockBytes, 5))
    await put(a, block)
    expect(same(await b.blocks.get(block.cid), block.bytes)).toBe(true)
    await a.stop()
    expect(same(await b.blocks.get(block.cid, { local: true }), block.bytes)).toBe(true)
  })

  test('come from a peer that gets them later', async () => {
    const [a, b] = await pair()
    const block = await textBlock('later')
    const got = b.blocks.get(block.cid, { signal: AbortSignal.timeout(100_000) })
    const cut = b.blocks.get(block.cid, { signal: AbortSignal.timeout(50) })
    // The end of one call must not end the other.
    await expect(cut).rejects.toSatisfy(code('TIMEOUT'))
    await put(a, block)
    expect(await got).toEqual(block.bytes)
  })

  test('come from a peer that connects later', async () => {
    const [a, b] = await startMany(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const block = await textBlock('connects later')
    await put(a, block)
    const got = b.blocks.get(block.cid, { signal: AbortSignal.timeout(100_000) })
    await b.routing.connect(selfOf(a))
    expect(await got).toEqual(block.bytes)
  })

  test('come from a hinted provider, whatever else the hints say', async () => {
    const [a, b] = await startMany(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const block = await textBlock('hinted')
    await put(a, block)
    const dead = {
      network: 'libp2p',
      id: '12D3KooWDTVwmHWQrkT7yLe4B6Ht42fNXFe3sD3qEErBjZk4CwVj',
      addresses: ['/ip4/127.0.0.1/tcp/1', 'nonsense']
    }
    const providers = [dead, { network: 'libp2p', id: 'nobody', addresses: [] }, selfOf(a)]
    expect(await b.blocks.get(block.cid, { providers, signal: AbortSignal.timeout(100_000) })).toEqual(block.bytes)
  })

  test('come from a provider that only the DHT knows', async () => {
    const [a, middle, b] = await startMany(3)
    if (a === undefined || middle === undefined || b === undefined) throw new Error('three nodes')
    await a.routing.connect(selfOf(middle))
    await b.routing.connect(selfOf(middle))
    const block = await textBlock('routed')
    await put(a, block)
    await a.routing.provide(block.cid, { signal: AbortSignal.timeout(100_000) })
    expect(await b.blocks.get(block.cid, { signal: AbortSignal.timeout(100_000) })).toEqual(block.bytes)
  })

  test('come again after they were deleted', async () => {
    const [a, b] = await pair()
    const block = await textBlock('again')
    await put(a, block)
    for (let i = 0; i < 3; i++) {
      expect(await b.blocks.get(block.cid, { signal: AbortSignal.timeout(100_000) })).toEqual(block.bytes)
      await b.blocks.delete(block.cid)
    }
  })

  test('2,000 outstanding gets to one peer complete', async () => {
    const [a, b] = await pair()
    const blocks = await Promise.all(Array.from({ length: 2_000 }, (_, i) => textBlock(`want ${i}`)))
    const getting = Promise.all(blocks.map(({ cid }) => b.blocks.get(cid, { signal: AbortSignal.timeout(100_000) })))
    // They are all on their way before the other side has the first.
    await a.blocks.putMany(blocks)
    const got = await getting
    expect(got.map((bytes) => new TextDecoder().decode(bytes))).toEqual(blocks.map((_, i) => `want ${i}`))
  })

  test('what nobody has is looked for until the signal fires, or the backend stops', async () => {
    const [, b] = await pair()
    const { cid } = await textBlock('nowhere')
    await expect(b.blocks.get(cid, { signal: AbortSignal.timeout(100) })).rejects.toSatisfy(code('TIMEOUT'))
    const controller = new AbortController()
    const aborted = b.blocks.get(cid, { signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toSatisfy(code('ABORTED'))
    const stopped = b.blocks.get(cid)
    const expectation = expect(stopped).rejects.toSatisfy(code('NOT_RUNNING'))
    await b.stop()
    await expectation
  })

  test('a peer that stands still does not hold up what another has', async () => {
    const [a, b] = await pair()
    const remote = spawnScript('node.process.ts', '{}')
    const still = await remote.ask<PeerInfo>('start')
    await b.routing.connect(still)
    process.kill(remote.child.pid ?? 0, 'SIGSTOP')
    const blocks = await Promise.all(Array.from({ length: 50 }, (_, i) => textBlock(`beside ${i}`)))
    await a.blocks.putMany(blocks)
    // One after the other: each is a message to the standing peer, too.
    for (const { cid, bytes } of blocks)
      expect(await b.blocks.get(cid, { signal: AbortSignal.timeout(8_000) })).toEqual(bytes)
    process.kill(remote.child.pid ?? 0, 'SIGCONT')
    await until('the process runs again', async () => (await remote.ask('stop')) === undefined)
  })
})
