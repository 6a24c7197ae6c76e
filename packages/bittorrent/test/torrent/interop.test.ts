import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { freePort, seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { bencode } from '../../src/tools/bencode.ts'
import { makeInfo, sha1 } from '../../src/torrent/metainfo/info.ts'
import { localTracker, type LocalTracker } from '../support.ts'

const client = 'aria2c'
const present = spawnSync(client, ['--version']).status === 0
const mebi = 1_048_576
const root = temporaryFolder('p2pl-bittorrent-interop-')
const ended: (() => Promise<void>)[] = []

/** A stock client that talks to loopback only, and to nobody but a tracker gave. */
async function run(
  folder: string,
  args: readonly string[]
): Promise<{ output: () => string; exited: Promise<unknown> }> {
  await mkdir(folder, { recursive: true })
  const child = spawn(
    client,
    [
      `--dir=${folder}`,
      '--interface=127.0.0.1',
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--enable-peer-exchange=false',
      '--disable-ipv6=true',
      '--no-conf=true',
      '--console-log-level=notice',
      '--summary-interval=0',
      `--listen-port=${await freePort()}`,
      ...args
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] }
  )
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += String(part)))
  const exited = once(child, 'exit')
  ended.push(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await exited
  })
  return { output: () => text, exited }
}

// With CI=true the client must be there: a test that never runs proves nothing.
describe.skipIf(!present && process.env['CI'] !== 'true')(`with ${client}, from Debian's packages`, () => {
  let tracker: LocalTracker
  let backend: BittorrentBackend

  beforeAll(async () => {
    expect(present, `${client} is not installed: apt-get install aria2`).toBe(true)
    tracker = await localTracker()
    backend = bittorrent({ dht: false, trackers: [tracker.http] })
    await backend.start()
  })

  afterAll(async () => {
    for (const end of ended) await end()
    await backend?.stop()
    await tracker?.stop()
  })

  it('downloads the very file from a magnet link', async () => {
    const bytes = seededBytes(3 * mebi + 4_321, 21)
    const peer = await createPeer({ backend })
    const { cid } = await peer.data.add(bytes)
    const folder = join(root, 'leech')
    const magnet = await backend.magnet(cid)
    const { output, exited } = await run(folder, ['--seed-time=0', '--bt-stop-timeout=90', magnet])
    const [code] = (await exited) as [number]
    expect(code, output()).toBe(0)
    expect(Buffer.compare(await readFile(join(folder, cid.toString())), bytes)).toBe(0)
  })

  it('seeds a file that comes in under the CID of its bytes', async () => {
    const bytes = seededBytes(2 * mebi + 99, 22)
    const folder = join(root, 'seed')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'strange.bin'), bytes)
    const pieces = [0, 1, 2].map((i) => sha1(bytes.subarray(i * mebi, (i + 1) * mebi)))
    const info = makeInfo('strange.bin', bytes.byteLength, new Uint8Array(Buffer.concat(pieces)))
    const torrent = join(root, 'strange.torrent')
    const announce = new Uint8Array(Buffer.from(tracker.http))
    const body = {
      length: info.length,
      name: new Uint8Array(Buffer.from(info.name)),
      'piece length': mebi,
      pieces: info.pieces
    }
    const file = bencode({ announce, info: body })
    await writeFile(torrent, file)
    const { output } = await run(folder, ['--seed-ratio=0.0', '--check-integrity=true', torrent])
    await until(`the client seeds: ${output()}`, () => /seed|verification finished|SEED/i.test(output()))
    const seen: number[] = []
    const signal = AbortSignal.timeout(90_000)
    const result = await backend.importTorrent(file, {
      signal,
      onProgress: (progress) => void seen.push(progress.bytes)
    })
    expect(result).toMatchObject({ name: 'strange.bin', size: bytes.byteLength })
    expect(seen.at(-1)).toBe(bytes.byteLength)
    const other = bittorrent()
    await other.start()
    ended.push(async () => await other.stop())
    const peer = await createPeer({ backend: other })
    expect(result.cid.toString()).toBe((await peer.data.add(bytes)).cid.toString())
  })
})
