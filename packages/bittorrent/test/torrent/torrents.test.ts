import { createHash } from 'node:crypto'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'

import { CID } from 'multiformats/cid'
import { afterEach, expect, it, vi } from 'vitest'
import WebTorrent from 'webtorrent'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../../src/index.ts'
import { Rendezvous } from '../../src/overlay/rendezvous/rendezvous.ts'
import { bdecode, bencode, type Bencoded } from '../../src/tools/bencode.ts'
import { FileWriter } from '../../src/torrent/layout/file-writer.ts'
import { link, selfOf } from '../support.ts'

const mebi = 1_048_576
const running = new Set<BittorrentBackend>()

async function started(options?: BittorrentOptions): Promise<BittorrentBackend> {
  const backend = bittorrent(options)
  await backend.start()
  running.add(backend)
  return backend
}

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

/** Stores a file as an app does, and gives its CID. */
async function add(backend: BittorrentBackend, bytes: Uint8Array): Promise<CID> {
  const peer = await createPeer({ backend })
  const { cid } = await peer.data.add(bytes)
  return cid
}

/** The same without announcing it. */
async function store(backend: BittorrentBackend, bytes: Uint8Array): Promise<CID> {
  const writer = new FileWriter(async (block) => await backend.blocks.putMany([block]))
  for (let at = 0; at < bytes.byteLength; at += mebi) await writer.add(bytes.subarray(at, at + mebi))
  return await writer.finish()
}

async function read(backend: BittorrentBackend, cid: CID): Promise<Uint8Array> {
  const peer = await createPeer({ backend })
  const parts: Uint8Array[] = []
  for await (const part of peer.data.get(cid)) parts.push(part)
  return Buffer.concat(parts)
}

it('gives equal magnet links for equal content, and takes a torrent in as the same CID', async () => {
  const bytes = seededBytes(3 * mebi + 12_345, 7)
  const one = await started()
  const two = await started()
  const cid = await add(one, bytes)
  expect((await add(two, bytes)).toString()).toBe(cid.toString())
  const magnet = await one.magnet(cid)
  const infoHash = (text: string): string | undefined => /btih:([0-9a-f]{40})/.exec(text)?.[1]
  expect(infoHash(await two.magnet(cid))).toBe(infoHash(magnet))

  const three = await started()
  const seen: number[] = []
  const result = await three.importTorrent(magnet, { onProgress: (progress) => void seen.push(progress.bytes) })
  expect(result.cid.toString()).toBe(cid.toString())
  expect(result).toMatchObject({ name: cid.toString(), size: bytes.byteLength })
  expect(seen.at(-1)).toBe(bytes.byteLength)
  expect(Buffer.compare(await read(three, cid), bytes)).toBe(0)
})

/** The library by itself, as others use it. */
interface Stock {
  readonly torrentPort: number
  seed(bytes: Uint8Array, options: object, done: (torrent: { torrentFile: Uint8Array }) => void): void
  once(event: 'listening', done: () => void): void
  destroy(done: () => void): void
}

it('takes torrents in whose pieces have another length, from a stock client', async () => {
  const quiet = { dht: false, tracker: false, lsd: false, natUpnp: false, natPmp: false, utp: false }
  const options = { ...quiet, torrentPort: { host: '127.0.0.1', port: 0 } }
  const stock = new WebTorrent(options as never) as unknown as Stock
  try {
    await new Promise<void>((resolve) => stock.once('listening', resolve))
    const receiver = await started()
    const folder = temporaryFolder('p2pl-bittorrent-stock-')
    for (const pieceLength of [16_384, 262_144, 1_572_864, 4 * mebi]) {
      const bytes = seededBytes(5 * mebi + 321, pieceLength)
      const about = { name: `other-${pieceLength}`, pieceLength, announce: [], path: folder }
      const file = await new Promise<Uint8Array>((resolve) => {
        stock.seed(bytes, about, ({ torrentFile }) => resolve(new Uint8Array(torrentFile)))
      })
      const { info } = bdecode(file).value as { info: Bencoded }
      const infoHash = createHash('sha1').update(bencode(info)).digest('hex')
      const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=127.0.0.1:${stock.torrentPort}`
      const { cid, size } = await receiver.importTorrent(magnet, { signal: AbortSignal.timeout(90_000) })
      expect(size).toBe(bytes.byteLength)
      expect(cid.toString(), `pieces of ${pieceLength}`).toBe((await add(await started(), bytes)).toString())
      // And from the file: the same content again, found at the tracker, the DHT or, as here, nowhere.
      const nowhere = (await started()).importTorrent(file, { signal: AbortSignal.timeout(300) })
      await expect(nowhere).rejects.toMatchObject({ code: 'TIMEOUT', operation: 'importTorrent' })
    }
  } finally {
    await new Promise<void>((resolve) => stock.destroy(resolve))
  }
})

it('takes one torrent in for several who ask, also when one of them goes', async () => {
  const seeder = await started()
  const bytes = seededBytes(4 * mebi + 1, 23)
  const cid = await add(seeder, bytes)
  const magnet = await seeder.magnet(cid)
  const receiver = await started()
  const gone = new AbortController()
  const first = receiver.importTorrent(magnet, { signal: gone.signal, onProgress: () => gone.abort() })
  const others = [receiver.importTorrent(magnet), receiver.importTorrent(magnet)]
  await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
  for (const result of await Promise.all(others)) expect(result.cid.toString()).toBe(cid.toString())
})

it('refuses what is no torrent, and files that cannot be seeded', async () => {
  const backend = await started()
  for (const source of [
    '',
    'magnet:?xt=urn:btmh:1220',
    'http://example.org',
    new Uint8Array([100, 101]),
    new Uint8Array()
  ])
    await expect(backend.importTorrent(source)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const empty = await add(backend, new Uint8Array())
  await expect(backend.magnet(empty)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  const stranger = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  await expect(backend.magnet(stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('gets the leaves out of the torrent of their file when no peer offers them', async () => {
  const bytes = seededBytes(4 * mebi, 13)
  const seeder = await started()
  const guide = await started()
  await link([seeder, guide])
  const cid = await store(seeder, bytes)
  const magnet = await seeder.magnet(cid)
  // The guide knows the infohash and holds the nodes of the file, but has lost the leaves.
  await guide.importTorrent(magnet)
  await guide.magnet(cid)
  for (let at = 0; at < bytes.byteLength; at += mebi) {
    const digest = createHash('sha256')
      .update(bytes.subarray(at, at + mebi))
      .digest()
    await guide.blocks.delete(CID.decode(new Uint8Array([0x01, 0x55, 0x12, 0x20, ...digest])))
  }
  const reader = await started()
  await link([guide, reader])
  expect(Buffer.compare(await read(reader, cid), bytes)).toBe(0)
  // The seeder was met as any client of the swarm, not as a peer of the overlay.
  const linked = (await reader.routing.connections())?.map(({ id }) => id)
  expect(linked).toEqual([selfOf(guide).id])
})

it('seeds what is provided, also after a restart, and ends that with unprovide', async () => {
  const dir = join(temporaryFolder('p2pl-bittorrent-'), 'seeder')
  const bytes = seededBytes(2 * mebi + 5, 17)
  const other = await started()
  const first = await started({ dir })
  await link([other, first])
  const cid = await add(first, bytes)
  await first.routing.provide(cid)
  const magnet = await first.magnet(cid)
  await first.stop()
  const second = await started({ dir })
  // The link names where the first one listened; this one is elsewhere.
  const peer = selfOf(second).addresses[0] ?? ''
  const moved = magnet.replace(/x\.pe=[^&]*/, `x.pe=${encodeURIComponent(peer)}`)
  expect((await (await started()).importTorrent(moved)).cid.toString()).toBe(cid.toString())
  await second.routing.unprovide(cid)
  const late = (await started()).importTorrent(moved, { signal: AbortSignal.timeout(500) })
  await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
})

it('gives no link before others can have heard of the seed, also where another call is about to tell them', async () => {
  const seeder = await started({ dht: false, trackers: ['udp://127.0.0.1:1'] })
  const told = Promise.withResolvers<boolean>()
  const put = vi.spyOn(Rendezvous.prototype, 'put').mockReturnValue(told.promise)
  const cid = await store(seeder, seededBytes(mebi + 3, 29))
  let given = 0
  const calls = [seeder.magnet(cid).then(() => given++)]
  await until('the first one tells', () => put.mock.calls.length === 1)
  calls.push(seeder.magnet(cid).then(() => given++))
  // More turns than the second one needs to find out that the file is seeded.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(given).toBe(0)
  told.resolve(true)
  await Promise.all(calls)
})

it('fetches from an address of IPv6 that it is given', async () => {
  const seeder = await started()
  const bytes = seededBytes(mebi + 11, 19)
  const cid = await add(seeder, bytes)
  const magnet = await seeder.magnet(cid)
  // It listens on IPv4 only: this leads there.
  const port = Number(selfOf(seeder).addresses[0]?.split(':')[1])
  const gateway = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port })
    socket.on('error', () => onward.destroy())
    onward.on('error', () => socket.destroy())
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>((resolve) => gateway.listen(0, '::1', resolve))
  try {
    const address = `[::1]:${(gateway.address() as AddressInfo).port}`
    const moved = magnet.replace(/x\.pe=[^&]*/, `x.pe=${encodeURIComponent(address)}`)
    const reader = await started()
    const { cid: taken } = await reader.importTorrent(moved, { signal: AbortSignal.timeout(90_000) })
    expect(taken.toString()).toBe(cid.toString())
    const other = await started()
    await other.routing.connect({ ...selfOf(seeder), addresses: [address] })
    expect((await other.routing.connections())?.map(({ id }) => id)).toEqual([selfOf(seeder).id])
  } finally {
    gateway.close()
  }
})
