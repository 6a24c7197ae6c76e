import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Client as DhtClient } from 'bittorrent-dht'
import { createPeer } from '@p2pl/core'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { isSigned, Publisher } from '../../src/overlay/rendezvous/publisher.ts'
import { privateKeyOf } from '../../src/overlay/wire/certificate.ts'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../../src/index.ts'
import { parsePublisher } from '../../src/peers.ts'
import { FileWriter } from '../../src/torrent/layout/file-writer.ts'
import { Publications } from '../../src/torrent/publications.ts'
import { bootstrapNode, selfOf, type BootstrapNode } from '../support.ts'

const mebi = 1_048_576
const running = new Set<BittorrentBackend>()
let node: BootstrapNode

async function started(options?: BittorrentOptions): Promise<BittorrentBackend> {
  const backend = bittorrent({ bootstrap: [node.address], ...options })
  await backend.start()
  running.add(backend)
  return backend
}

async function stop(backend: BittorrentBackend): Promise<void> {
  running.delete(backend)
  await backend.stop()
}

beforeEach(async () => {
  node = await bootstrapNode()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
  await node.stop()
})

async function add(backend: BittorrentBackend, bytes: Uint8Array): Promise<CID> {
  const peer = await createPeer({ backend })
  const { cid } = await peer.data.add(bytes)
  // Its node may still be entering the DHT.
  await until('the record is out', async () => {
    try {
      await backend.routing.provide(cid)
      return true
    } catch {
      return false
    }
  })
  return cid
}

const infoHashOf = (magnet: string): string | undefined => /btih:([0-9a-f]{40})/.exec(magnet)?.[1]

/** The link, once the DHT has it, which is said in the background, and answers in time. */
async function said(by: BittorrentBackend, cid: CID, publisher: string): Promise<string> {
  return await until('it is said in the DHT', async () => {
    try {
      return await by.findTorrent(cid, publisher)
    } catch {
      return undefined
    }
  })
}

it('finds the torrent of a CID by the signed record of a publisher that is gone', async () => {
  const bytes = seededBytes(3 * mebi + 77, 31)
  const [publisher, other] = [await started(), await started()]
  const cid = await add(publisher, bytes)
  const key = publisher.publisher()
  const link = await said(other, cid, key)
  const magnet = await publisher.magnet(cid)
  expect(infoHashOf(link)).toBe(infoHashOf(magnet))
  expect((await other.importTorrent(magnet)).cid.toString()).toBe(cid.toString())
  // It seeds the torrent, and provides nothing.
  await other.magnet(cid)
  await stop(publisher)

  const reader = await started()
  const found = await said(reader, cid, key)
  expect(infoHashOf(found)).toBe(infoHashOf(magnet))
  const taken = await reader.importTorrent(found, { signal: AbortSignal.timeout(90_000) })
  expect(taken.cid.toString()).toBe(cid.toString())
  await expect(reader.findTorrent(cid, (await started()).publisher())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(reader.findTorrent(cid, 'somebody')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

it('takes a leaf from the swarm that a hinted publisher has named', async () => {
  const bytes = seededBytes(2 * mebi + 5, 37)
  const [publisher, other] = [await started(), await started()]
  const cid = await add(publisher, bytes)
  const hint = { ...selfOf(publisher), addresses: [publisher.publisher()] }
  await said(other, cid, publisher.publisher())
  await other.importTorrent(await publisher.magnet(cid))
  await other.magnet(cid)
  await stop(publisher)

  const reader = await started()
  const writer = new FileWriter(async (block) => {
    if (block.cid.code !== 0x55) await reader.blocks.putMany([block])
  })
  for (let at = 0; at < bytes.byteLength; at += mebi) await writer.add(bytes.subarray(at, at + mebi))
  expect((await writer.finish()).toString()).toBe(cid.toString())
  const digest = createHash('sha256')
    .update(bytes.subarray(mebi, 2 * mebi))
    .digest()
  const leaf = CID.decode(new Uint8Array([0x01, 0x55, 0x12, 0x20, ...digest]))
  const signal = AbortSignal.timeout(90_000)
  // The DHT may not answer in time.
  vi.spyOn(Publications.prototype, 'find').mockResolvedValueOnce(undefined)
  const got = await reader.blocks.get(leaf, { root: cid, providers: [hint], signal })
  expect(Buffer.compare(got ?? new Uint8Array(), bytes.subarray(mebi, 2 * mebi))).toBe(0)
  // The seeder was met in the swarm, not as a peer of the overlay.
  expect(await reader.routing.connections()).toEqual([])
})

it('keeps its key in the folder, and says it again under a larger number', async () => {
  const dir = join(temporaryFolder('p2pl-bittorrent-publisher-'), 'publisher')
  const other = await started()
  const first = await started({ dir })
  const cid = await add(first, seededBytes(mebi + 1, 41))
  const key = first.publisher()
  await said(other, cid, key)
  await stop(first)
  const second = await started({ dir })
  expect(second.publisher()).toBe(key)
  expect(infoHashOf(await said(other, cid, key))).toBe(infoHashOf(await second.magnet(cid)))
})

it('believes nobody but the publisher', async () => {
  const publisher = await started()
  const reader = await started()
  const cid = await add(publisher, seededBytes(mebi + 9, 43))
  const key = publisher.publisher()
  const right = await said(reader, cid, key)
  const k = Buffer.from(parsePublisher(key) ?? [])
  const salt = Buffer.from(cid.multihash.bytes)
  const liar = new Publisher(privateKeyOf(new Uint8Array(32).fill(7)))
  // Nodes that take anything, and hand it out to anybody.
  const wild = await Promise.all([wildNode(), wildNode()])
  const put = async (v: unknown, seq: number): Promise<void> => {
    const sign = (message: Uint8Array): Uint8Array => Buffer.from(liar.sign(message))
    await new Promise<void>((resolve) => wild[0]?.put({ k, salt, seq, v, sign }, () => resolve()))
  }
  const far = Math.floor(Date.now() / 1_000) + 1_000
  for (const [i, v] of [{ ih: Buffer.alloc(20, 1) }, { ih: 1 }, [], 7, Buffer.alloc(5)].entries()) {
    await put(v, far + i)
    expect(await said(reader, cid, key)).toBe(right)
  }
  await Promise.all(wild.map((each) => new Promise<void>((resolve) => each.destroy(resolve))))
})

async function wildNode(): Promise<DhtClient> {
  const wild = new DhtClient({ bootstrap: [node.address], verify: () => true, timeout: 200 })
  wild.on('warning', () => {})
  await new Promise<void>((resolve) => {
    wild.once('ready', resolve)
    wild.listen(0, '127.0.0.1')
  })
  return wild
}

it('calls wrong what is not signed', () => {
  const publisher = new Publisher(privateKeyOf(new Uint8Array(32).fill(9)))
  const message = new Uint8Array([1, 2, 3])
  const signature = publisher.sign(message)
  const { publicKey } = publisher
  expect(isSigned(signature, message, publicKey)).toBe(true)
  expect(isSigned(signature, new Uint8Array([1, 2]), publicKey)).toBe(false)
  expect(isSigned(signature.slice(1), message, publicKey)).toBe(false)
  for (const wrong of [undefined, null, 1, 'text', [], {}, new Uint8Array(), new Uint8Array(32).fill(0xff)]) {
    expect(isSigned(wrong, message, publicKey)).toBe(false)
    expect(isSigned(signature, message, wrong)).toBe(false)
  }
})
