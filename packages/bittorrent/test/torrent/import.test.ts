import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { concatBytes } from '@p2pl/core/backend'
import { createPeer } from '@p2pl/core'
import { seededBytes, temporaryFolder, until, Watchdog } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it, test } from 'vitest'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../../src/index.ts'
import { announceTo } from '../../src/overlay/rendezvous/tracker.ts'
import { bencode, type Bencoded } from '../../src/tools/bencode.ts'
import { maxPieces } from '../../src/torrent/metainfo/info.ts'
import { ascii } from '../strangers.ts'
import { localTracker } from '../support.ts'
import { honestSeeder, magnetOf, piecesOf, seeder, sha1 } from './seeder.ts'

const mebi = 1_048_576
const root = temporaryFolder('p2pl-bittorrent-import-')
const running = new Set<BittorrentBackend>()

async function started(options?: BittorrentOptions): Promise<BittorrentBackend> {
  const backend = bittorrent(options)
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

/** The info of a file, in the usual order. */
function infoFor(bytes: Uint8Array, pieceLength: number, more: Record<string, Bencoded> = {}): Uint8Array {
  const pieces = piecesOf(bytes, pieceLength)
  return bencode({ length: bytes.byteLength, name: ascii('file.bin'), 'piece length': pieceLength, pieces, ...more })
}

/** The CID that `data.add` gives. */
async function cidOf(bytes: Uint8Array): Promise<string> {
  await using peer = await createPeer({ backend: bittorrent() })
  return (await peer.data.add(bytes)).cid.toString()
}

const sum = (asked: ReadonlyMap<number, number>): number => [...asked.values()].reduce((all, each) => all + each, 0)

describe('an import that was broken off', () => {
  test.each([16_384, 262_144, mebi, 1_572_864])('goes on where it stood, with pieces of %i bytes', async (each) => {
    const bytes = seededBytes(6 * mebi + 321, each)
    const info = infoFor(bytes, each)
    const source = await honestSeeder(info, bytes, each)
    const magnet = magnetOf(sha1(info), source.address)
    const receiver = await started()
    // Up to here, and no further.
    const limit = Math.floor((4 * mebi) / each)
    source.limit = limit
    const aborted = new AbortController()
    let stored = 0
    const importing = receiver.importTorrent(magnet, {
      signal: aborted.signal,
      onProgress: (progress) => (stored = progress.bytes)
    })
    importing.catch(() => {})
    const whole = Math.floor((limit * each) / mebi) * mebi
    await until('all that is given is stored', () => stored === whole)
    aborted.abort()
    await expect(importing).rejects.toMatchObject({ code: 'ABORTED' })
    await until('its connection is closed', () => source.closed() === 1)
    source.limit = Infinity
    source.asked.clear()
    const seen: number[] = []
    const result = await receiver.importTorrent(magnet, { onProgress: (progress) => void seen.push(progress.bytes) })
    expect(result.cid.toString()).toBe(await cidOf(bytes))
    expect(seen.at(-1)).toBe(bytes.byteLength)
    // Nothing that was stored was fetched, but for pieces that were stored in part.
    for (const index of source.asked.keys()) expect((index + 1) * each).toBeGreaterThan(whole)
    expect(sum(source.asked)).toBeLessThanOrEqual(bytes.byteLength - Math.floor(whole / each) * each)
    // And what is whole is not fetched at all: nobody is asked.
    source.asked.clear()
    const again = await receiver.importTorrent(magnetOf(sha1(info)))
    expect(again).toEqual(result)
    expect(source.asked.size).toBe(0)
  })

  it('goes on in another process when the first was killed', async () => {
    const bytes = seededBytes(5 * mebi + 5, 71)
    const info = infoFor(bytes, mebi)
    const source = await honestSeeder(info, bytes, mebi)
    const magnet = magnetOf(sha1(info), source.address)
    const dir = join(root, 'killed')
    source.limit = 3
    const script = new URL('importer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['-C', '@p2pl/source', script, dir, magnet], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let output = ''
    child.stdout.on('data', (part) => (output += String(part)))
    await until('three pieces are stored', () => output.split('\n').includes(String(3 * mebi)))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until('its connection is closed', () => source.closed() === 1)
    source.limit = Infinity
    source.asked.clear()
    const heir = await started({ dir })
    const result = await heir.importTorrent(magnet)
    expect(result.cid.toString()).toBe(await cidOf(bytes))
    expect([...source.asked.keys()].toSorted((a, b) => a - b)).toEqual([3, 4, 5])
    // Also what is whole is known after a restart.
    await heir.stop()
    source.asked.clear()
    expect(await (await started({ dir })).importTorrent(magnetOf(sha1(info)))).toEqual(result)
    expect(source.asked.size).toBe(0)
  })

  it('fetches again what was removed or damaged meanwhile, and nothing else', async () => {
    const bytes = seededBytes(4 * mebi, 73)
    const info = infoFor(bytes, mebi)
    const source = await honestSeeder(info, bytes, mebi)
    const magnet = magnetOf(sha1(info), source.address)
    const receiver = await started()
    const { cid } = await receiver.importTorrent(magnet)
    const leaves: string[] = []
    for await (const each of receiver.blocks.gc() ?? []) leaves.push(each.toString())
    expect(leaves).toHaveLength(5)
    source.asked.clear()
    expect((await receiver.importTorrent(magnet)).cid.toString()).toBe(cid.toString())
    expect([...source.asked.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })
})

it('fetches nothing of a file that is stored here and that the torrent names', async () => {
  const bytes = seededBytes(3 * mebi + 9, 75)
  const [one, two] = [await started(), await started()]
  const peer = await createPeer({ backend: one })
  const { cid } = await peer.data.add(bytes)
  const magnet = await one.magnet(cid)
  await one.stop()
  const other = await createPeer({ backend: two })
  await other.data.add(bytes)
  // Nobody seeds it any more.
  expect((await two.importTorrent(magnet)).cid.toString()).toBe(cid.toString())
  // A name that is a lie is not believed.
  const lie = seededBytes(mebi + 1, 76)
  const info = infoFor(lie, mebi, { name: ascii(cid.toString()) })
  const source = await honestSeeder(info, lie, mebi)
  const result = await two.importTorrent(magnetOf(sha1(info), source.address))
  expect(result.cid.toString()).toBe(await cidOf(lie))
})

describe('a torrent that others made', () => {
  /** Takes it in by magnet link, and by the file with the help of a tracker. */
  async function takenIn(
    info: Uint8Array,
    content: Uint8Array,
    each: number
  ): Promise<{ cid: string; name: string }[]> {
    const source = await honestSeeder(info, content, each)
    const tracker = await localTracker()
    try {
      const announcement = {
        key: sha1(info),
        peerId: new Uint8Array(20).fill(9),
        port: source.port,
        event: 'started'
      } as const
      await announceTo(new URL(tracker.http), announcement, AbortSignal.timeout(90_000))
      const sources = [magnetOf(sha1(info), source.address), concatBytes(ascii('d4:info'), info, ascii('e'))]
      const results: { cid: string; name: string }[] = []
      for (const from of sources) {
        const receiver = await started({ dht: false, trackers: [tracker.http] })
        const { cid, name } = await receiver.importTorrent(from, { signal: AbortSignal.timeout(90_000) })
        results.push({ cid: cid.toString(), name })
      }
      return results
    } finally {
      await tracker.stop()
    }
  }

  it('is met under the infohash of its bytes, canonical or not', async () => {
    const bytes = seededBytes(mebi + 77, 81)
    const pieces = piecesOf(bytes, mebi)
    const info = concatBytes(
      ascii(`d4:name3:odd6:lengthi${bytes.byteLength}e6:pieces${pieces.byteLength}:`),
      pieces,
      ascii(`12:piece lengthi${mebi}ee`)
    )
    const cid = await cidOf(bytes)
    expect(await takenIn(info, bytes, mebi)).toEqual([
      { cid, name: 'odd' },
      { cid, name: 'odd' }
    ])
  })

  it('may be a folder with one file, among padding', async () => {
    const file = seededBytes(2 * mebi + 5, 82)
    const content = concatBytes(new Uint8Array(1_000), file, new Uint8Array(70_000))
    const files = [
      { attr: ascii('p'), length: 1_000, path: [ascii('.pad'), ascii('1000')] },
      { length: file.byteLength, path: [ascii('sub'), ascii('../x')] },
      { attr: ascii('p'), length: 70_000, path: [ascii('.pad'), ascii('70000')] }
    ]
    const each = 262_144
    const about = { files, name: ascii('dir'), 'piece length': each, pieces: piecesOf(content, each) }
    const cid = await cidOf(file)
    expect(await takenIn(bencode(about), content, each)).toEqual([
      { cid, name: 'x' },
      { cid, name: 'x' }
    ])
  })

  it('may be empty', async () => {
    const info = infoFor(new Uint8Array(), 16_384)
    const cid = await cidOf(new Uint8Array())
    expect((await takenIn(info, new Uint8Array(), 16_384)).map((each) => each.cid)).toEqual([cid, cid])
  })

  it('with the most pieces that are taken does not hold up the process', async () => {
    const each = 16_384
    const pieces = new Uint8Array(maxPieces * 20).fill(1)
    const info = bencode({ length: maxPieces * each, name: ascii('x'), 'piece length': each, pieces })
    const asked = Promise.withResolvers<void>()
    const source = await seeder(sha1(info), { info, pieces: maxPieces, request: () => asked.resolve() })
    // The library is loaded by now.
    const receiver = await started()
    await receiver.importTorrent(concatBytes(ascii('d4:info'), infoFor(new Uint8Array(), each), ascii('e')))
    const watchdog = new Watchdog()
    const aborted = new AbortController()
    const importing = receiver.importTorrent(magnetOf(sha1(info), source.address), { signal: aborted.signal })
    importing.catch(() => {})
    await asked.promise
    const longest = watchdog.stop()
    aborted.abort()
    // An order of magnitude: the seeder is in this process.
    expect(longest).toBeLessThan(1_000)
  })

  test.each<[string, Record<string, Bencoded>, RegExp]>([
    ['several files', { files: [1, 2].map((i) => ({ length: i, path: [ascii(`${i}`)] })) }, /it has 2 files/],
    ['BitTorrent v2 only', { 'meta version': 2, 'file tree': {} }, /v2 only/]
  ])('is refused with the true reason: %s', async (_, more, reason) => {
    const about = { name: ascii('x'), 'piece length': 16_384, ...more }
    const info = bencode('files' in more ? { ...about, pieces: new Uint8Array(20) } : about)
    const source = await honestSeeder(info, new Uint8Array(3), 16_384)
    const receiver = await started()
    const file = concatBytes(ascii('d4:info'), info, ascii('e'))
    for (const from of [file, magnetOf(sha1(info), source.address)]) {
      const importing = receiver.importTorrent(from, { signal: AbortSignal.timeout(90_000) })
      await expect(importing).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        operation: 'importTorrent',
        message: expect.stringMatching(reason)
      })
    }
  })
})
