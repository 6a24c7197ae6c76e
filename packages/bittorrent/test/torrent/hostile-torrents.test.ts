import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { concatBytes } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { uint32 } from '../../src/tools/bytes.ts'
import { frame } from '../../src/overlay/links/frames.ts'
import { bdecode, bencode, type Bencoded } from '../../src/tools/bencode.ts'
import { FileWriter } from '../../src/torrent/layout/file-writer.ts'
import { extended, handshake, magnetOf, message, seeder, sha1 } from './seeder.ts'
import { ascii, portOf, stranger as openStranger } from '../strangers.ts'
import { link, selfOf } from '../support.ts'

const mebi = 1_048_576
const crashes: unknown[] = []
const sockets: Socket[] = []
const running = new Set<BittorrentBackend>()
const onCrash = (error: unknown): void => void crashes.push(error)

beforeEach(() => {
  crashes.length = 0
  process.on('uncaughtException', onCrash)
  process.on('unhandledRejection', onCrash)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
  process.off('uncaughtException', onCrash)
  process.off('unhandledRejection', onCrash)
  expect(crashes).toEqual([])
})

async function started(): Promise<BittorrentBackend> {
  const backend = bittorrent()
  await backend.start()
  running.add(backend)
  return backend
}

/** Seeds a file, and gives its CID and magnet link. */
async function seed(backend: BittorrentBackend, bytes: Uint8Array): Promise<{ cid: CID; magnet: string }> {
  const writer = new FileWriter(async (block) => await backend.blocks.putMany([block]))
  for (let at = 0; at < bytes.byteLength; at += mebi) await writer.add(bytes.subarray(at, at + mebi))
  const cid = await writer.finish()
  return { cid, magnet: await backend.magnet(cid) }
}

const infoHashOf = (magnet: string): Uint8Array =>
  new Uint8Array(Buffer.from(/btih:([0-9a-f]{40})/.exec(magnet)?.[1] ?? '', 'hex'))

async function stranger(port: number, infoHash: Uint8Array): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  sockets.push(socket)
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  socket.write(handshake(infoHash))
  return socket
}

it('hangs up on a torrent message of two gigabytes, also when it comes with the handshake', async () => {
  const victim = await started()
  const bytes = seededBytes(mebi + 10, 61)
  const { magnet } = await seed(victim, bytes)
  const huge = Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 20)
  const late = await stranger(portOf(victim), infoHashOf(magnet))
  late.write(extended(0, bencode({ m: {} })))
  late.write(huge)
  await until('it hangs up', () => late.closed)
  const early = connect({ host: '127.0.0.1', port: portOf(victim) })
  sockets.push(early)
  early.on('error', () => {})
  early.resume()
  early.write(concatBytes(handshake(infoHashOf(magnet)), huge))
  await until('it hangs up', () => early.closed)
  expect((await (await started()).importTorrent(magnet)).size).toBe(bytes.byteLength)
})

it('lives through extensions and requests of every shape', async () => {
  const victim = await started()
  const { magnet } = await seed(victim, seededBytes(mebi + 10, 62))
  const wild = ['', 'd', 'de', 'i1e', 'le', 'd1:mi1ee', 'd1:md11:ut_metadatai2eee', 'd8:msg_typei0e5:piecei-1ee']
  for (const id of [0, 1, 2, 3, 200])
    for (const text of wild) {
      const socket = await stranger(portOf(victim), infoHashOf(magnet))
      socket.write(extended(id, ascii(text)))
      // have, bitfield, reject, suggest, allowed fast, port, cancel: all of them cut off or wrong.
      for (const kind of [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 20, 21, 255])
        socket.write(message(Uint8Array.of(kind)))
      socket.write(message(Uint8Array.of(4), uint32(0xff_ff_ff_ff)))
      socket.write(message(Uint8Array.of(5), new Uint8Array(100_000).fill(0xff)))
      socket.write(message(Uint8Array.of(7), uint32(0), uint32(0), new Uint8Array(16_384)))
    }
  expect((await (await started()).importTorrent(magnet)).size).toBe(mebi + 10)
})

it('reads no file for a client that asks and does not listen', async () => {
  const victim = await started()
  const { magnet } = await seed(victim, seededBytes(4 * mebi, 63))
  const socket = await stranger(portOf(victim), infoHashOf(magnet))
  socket.pause()
  socket.write(message(Uint8Array.of(2)))
  const before = process.memoryUsage().rss
  const asked = concatBytes(
    ...Array.from({ length: 2_000 }, (_, i) =>
      message(Uint8Array.of(6), uint32(i % 4), uint32((i % 8) * 131_072), uint32(131_072))
    )
  )
  // 250 MiB for each round, none of which is taken.
  for (let round = 0; round < 8 && !socket.destroyed; round++) socket.write(asked)
  await until('it hangs up', () => {
    socket.resume()
    return socket.closed
  })
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * mebi)
  expect((await (await started()).importTorrent(magnet)).size).toBe(4 * mebi)
})

it('refuses metadata that has the right hash and is no torrent', async () => {
  const victim = await started()
  const name = ascii('x')
  const dictionaries: Bencoded[] = [
    { length: 10, name, 'piece length': 0, pieces: new Uint8Array(20) },
    { length: -1, name, 'piece length': 16_384, pieces: new Uint8Array(20) },
    { length: 10, name, 'piece length': 16_384, pieces: new Uint8Array(19) },
    {
      files: [
        { length: 1, path: [name] },
        { length: 1, path: [name, name] }
      ],
      name,
      'piece length': 16_384,
      pieces: new Uint8Array(20)
    },
    { length: 2 ** 52, name, 'piece length': 16_384, pieces: new Uint8Array(20) },
    [],
    7
  ]
  const broken = [ascii('garbage'), ascii('d'), ascii('le4:more'), new Uint8Array(40_000).fill(0x6c)]
  for (const info of [...dictionaries.map(bencode), ...broken]) {
    const { address } = await seeder(sha1(info), { info })
    const signal = AbortSignal.timeout(90_000)
    const importing = victim.importTorrent(magnetOf(sha1(info), address), { signal })
    await expect(importing).rejects.toMatchObject({ code: 'UNSUPPORTED', operation: 'importTorrent' })
  }
})

it('gets a torrent from the honest one among liars', async () => {
  const honest = await started()
  const victim = await started()
  const bytes = seededBytes(2 * mebi + 100, 64)
  const { cid, magnet } = await seed(honest, bytes)
  const infoHash = infoHashOf(magnet)
  const wild = [
    '',
    'd',
    'd8:msg_typei1e5:piecei999999e10:total_sizei5ee',
    'd8:msg_typei1e5:piecei-1eexxxx',
    'd8:msg_typei2ee'
  ]
  const liars = await Promise.all([
    // Metadata of another torrent.
    seeder(infoHash, {
      info: bencode({ length: 1, name: ascii('x'), 'piece length': 16_384, pieces: sha1(ascii('a')) })
    }),
    seeder(infoHash, {
      greeted: ({ socket, metadataId }) => {
        for (const text of wild) socket.write(extended(metadataId, ascii(text)))
      }
    }),
    // Pieces of zeros.
    seeder(infoHash, {
      pieces: 3,
      request: ({ socket }, index, offset, length) => {
        socket.write(message(Uint8Array.of(7), uint32(index), uint32(offset), new Uint8Array(length)))
      }
    }),
    // Nothing at all.
    seeder(infoHash, { pieces: 3 })
  ])
  const all = magnetOf(infoHash, ...liars.map(({ address }) => address), selfOf(honest).addresses[0] ?? '')
  const result = await victim.importTorrent(all, { signal: AbortSignal.timeout(90_000) })
  expect(result.cid.toString()).toBe(cid.toString())
})

it('disconnects a client that sends wrong pieces', async () => {
  const honest = await started()
  const victim = await started()
  const { cid, magnet } = await seed(honest, seededBytes(2 * mebi, 65))
  const infoHash = infoHashOf(magnet)
  const liar = await seeder(infoHash, {
    // So that the victim can begin with it alone.
    info: await metadataOf(honest, infoHash),
    pieces: 2,
    request: ({ socket }, index, offset, length) => {
      socket.write(message(Uint8Array.of(7), uint32(index), uint32(offset), new Uint8Array(length)))
    }
  })
  const importing = victim.importTorrent(magnetOf(infoHash, liar.address), { signal: AbortSignal.timeout(90_000) })
  importing.catch(() => {})
  await until('the liar is sent away', () => liar.closed() === 1)
  // A client that has lied is not asked again, and others are still looked for.
  const joined = await stranger(portOf(victim), infoHash)
  await until('the victim still takes part', () => joined.bytesRead >= 68)
  joined.destroy()
  expect(liar.closed()).toBe(1)
  const again = await started()
  expect((await again.importTorrent(magnet)).cid.toString()).toBe(cid.toString())
  await victim.stop()
  await expect(importing).rejects.toMatchObject({ code: 'NOT_RUNNING' })
})

/** Asks a seeder for the metadata, as a client with a magnet link does. */
async function metadataOf(backend: BittorrentBackend, infoHash: Uint8Array): Promise<Uint8Array> {
  const socket = connect({ host: '127.0.0.1', port: portOf(backend) })
  sockets.push(socket)
  socket.on('error', () => {})
  socket.write(concatBytes(handshake(infoHash), extended(0, bencode({ m: { ut_metadata: 3 } }))))
  let received = new Uint8Array()
  return await new Promise<Uint8Array>((resolve) => {
    let asked = false
    socket.on('data', (part) => {
      received = new Uint8Array(concatBytes(received, part))
      const text = Buffer.from(received).toString('latin1')
      const id = /11:ut_metadatai(\d+)e/.exec(text)?.[1]
      if (id !== undefined && !asked) {
        asked = true
        socket.write(extended(Number(id), bencode({ msg_type: 0, piece: 0 })))
      }
      const at = text.indexOf('d8:msg_typei1e')
      const size = Number(/10:total_sizei(\d+)e/.exec(text.slice(Math.max(at, 0)))?.[1])
      if (at === -1 || Number.isNaN(size)) return
      const { end } = bdecode(received.subarray(at))
      if (received.byteLength >= at + end + size) resolve(received.slice(at + end, at + end + size))
    })
  })
}

it('refuses a torrent whose pieces are not the leaves of the CID, and takes the right one', async () => {
  const bytes = seededBytes(2 * mebi, 66)
  const [honest, guide] = [await started(), await started()]
  await link([honest, guide])
  const { cid, magnet } = await seed(honest, bytes)
  // The same shape, other bytes: its pieces match its torrent.
  const forger = await started()
  const forged = await seed(forger, seededBytes(2 * mebi, 67))
  await guide.importTorrent(magnet)
  await guide.magnet(cid)
  const victim = await started()
  const writer = new FileWriter(async (block) => {
    if (block.cid.code !== 0x55) await victim.blocks.putMany([block])
    else await guide.blocks.delete(block.cid)
  })
  for (let at = 0; at < bytes.byteLength; at += mebi) await writer.add(bytes.subarray(at, at + mebi))
  await writer.finish()
  await forgerLink(victim, infoHashOf(forged.magnet), portOf(forger))
  await link([guide, victim])
  const leaves: CID[] = []
  const leafWriter = new FileWriter((block) => {
    if (block.cid.code === 0x55) leaves.push(block.cid)
    return Promise.resolve()
  })
  for (let at = 0; at < bytes.byteLength; at += mebi) await leafWriter.add(bytes.subarray(at, at + mebi))
  for (const [i, leaf] of leaves.entries()) {
    const got = await victim.blocks.get(leaf, { root: cid, signal: AbortSignal.timeout(90_000) })
    expect(Buffer.compare(got ?? new Uint8Array(), bytes.subarray(i * mebi, (i + 1) * mebi))).toBe(0)
  }
})

/** A peer that names a torrent of its own, whatever file is asked for, and says that it listens where that is seeded. */
async function forgerLink(victim: BittorrentBackend, infoHash: Uint8Array, port: number): Promise<void> {
  const forger = await openStranger(portOf(victim), { tcp: port })
  sockets.push(forger.socket)
  forger.onFrame = ({ kind, body }) => {
    if (kind === frame.torrent) forger.send(frame.infoHash, body.subarray(0, 4), infoHash)
  }
  await until('it is linked', async () => (await victim.routing.connections())?.length === 1)
}

it.skipIf(process.platform !== 'linux')('opens no port besides its own', async () => {
  const before = listening()
  const one = await started()
  const two = await started()
  const { magnet } = await seed(one, seededBytes(mebi + 1, 68))
  await two.importTorrent(magnet)
  const opened = listening().filter((port) => !before.includes(port))
  expect(new Set(opened)).toEqual(new Set([portOf(one), portOf(two)]))
})

/** TCP ports on which this process listens. */
function listening(): number[] {
  const inodes = new Set(
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  )
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/self/net/${table}`, 'utf8').trim().split('\n').slice(1)
  )
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
    .map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16))
}
