import { decode } from '@ipld/dag-pb'
import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { seededBytes } from '@p2pl/tooling-vitest'
import { UnixFS } from 'ipfs-unixfs'
import { importer, type ImporterOptions } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { all, collect, text } from './support.ts'

// What other implementations write, read as Kubo reads it.

let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ backend: memory({ network: 'shapes' }) })
})
afterAll(async () => {
  await peer.stop()
})

interface Source {
  readonly path: string
  readonly content?: Uint8Array
  readonly mode?: number
  readonly mtime?: { secs: bigint; nsecs?: number }
}

/** The root of what the importer of Helia makes. */
async function imported(sources: Source[], options: ImporterOptions): Promise<CID> {
  const store = {
    put: async (cid: CID, bytes: unknown) => {
      await peer.blocks.putMany([{ cid, bytes: bytes as Uint8Array }])
      return cid
    }
  }
  let root: CID | undefined
  for await (const result of importer(sources, store, { wrapWithDirectory: true, ...options })) root = result.cid
  return root as CID
}

async function levelsOf(cid: CID): Promise<number> {
  const { Data, Links } = decode(await peer.blocks.get(cid))
  if (UnixFS.unmarshal(Data as Uint8Array).type !== 'hamt-sharded-directory') return 0
  const parts = Links.filter(({ Name }) => Name?.length === 1 || Name?.length === 2)
  return 1 + Math.max(0, ...(await Promise.all(parts.map(async ({ Hash }) => await levelsOf(Hash)))))
}

describe('sharded directories', () => {
  it.each([
    [3, 60],
    [4, 60],
    [8, 400]
  ])('with %i bits in a level are listed and resolved through several levels', async (bits, count) => {
    const names = Array.from({ length: count }, (_, i) => `file number ${i}`)
    const cid = await imported(
      names.map((path) => ({ path, content: text(`of ${path}`) })),
      { shardSplitThresholdBytes: 0, shardFanoutBits: bits, rawLeaves: true, cidVersion: 1 }
    )
    expect(await levelsOf(cid)).toBeGreaterThan(1)
    const listed = await all(unixfs(peer).ls(cid))
    expect(listed.map(({ name }) => name).sort()).toEqual(names.toSorted())
    for (const name of names) {
      const parts = await all(unixfs(peer).get(`${cid.toString()}/${name}`))
      expect(Buffer.concat(parts).toString()).toBe(`of ${name}`)
    }
    await expect(unixfs(peer).resolve(`${cid.toString()}/file number x`)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('directories with mode and mtime', () => {
  it('give them, where they are stored', async () => {
    const mtime = { secs: 1_700_000_000n, nsecs: 123_456_789 }
    const cid = await imported(
      [
        { path: 'dir1', mode: 0o700, mtime },
        { path: 'dir2/sub/file', content: text('hello'), mode: 0o640, mtime: { secs: -5n } },
        { path: 'file', content: text('plain') }
      ],
      { rawLeaves: true, cidVersion: 1 }
    )
    const walked = await all(unixfs(peer).walk(cid))
    expect(walked.map(({ path, kind, size, mode, mtime: time }) => [path, kind, size, mode, time?.secs])).toEqual([
      ['dir1', 'directory', undefined, 0o700, 1_700_000_000n],
      ['dir2', 'directory', undefined, undefined, undefined],
      ['dir2/sub', 'directory', undefined, undefined, undefined],
      ['dir2/sub/file', 'file', 5, 0o640, -5n],
      ['file', 'file', 5, undefined, undefined]
    ])
    expect((await unixfs(peer).stat(`${cid.toString()}/dir1`)).mtime).toEqual(mtime)
  })
})

describe('a file that lacks a block', () => {
  it('gives what stands before it, and names it', async () => {
    const bytes = seededBytes(3_072, 9)
    const root = await imported([{ path: 'file', content: bytes }], {
      cidVersion: 0,
      rawLeaves: false,
      chunker: fixedSize({ chunkSize: 1_024 })
    })
    const file = await unixfs(peer).resolve(`${root.toString()}/file`)
    const missing = decode(await peer.blocks.get(file)).Links[1]?.Hash as CID
    await peer.blocks.delete(missing)
    const { items, error } = await collect(unixfs(peer).get(`${root.toString()}/file`, { local: true }))
    expect(Buffer.concat(items)).toEqual(Buffer.from(bytes.subarray(0, 1_024)))
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(missing.toString()) as string })
    const rest = await all(unixfs(peer).get(file, { local: true, offset: 2_048 }))
    expect(Buffer.concat(rest)).toEqual(Buffer.from(bytes.subarray(2_048)))
  })
})
