import { appendFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { toFolder, type ToFolderProgress } from '../src/node.ts'
import { failure, putDirectory, text } from './support.ts'

const base = temporaryFolder()
const size = 5_000_000
const contents: Readonly<Record<string, Uint8Array>> = {
  'big.bin': seededBytes(size, 1),
  'docs/a.txt': text('a'),
  'docs/b.bin': seededBytes(1_500_000, 2),
  'zero.txt': new Uint8Array(0)
}
const total = Object.values(contents).reduce((sum, { byteLength }) => sum + byteLength, 0)
let a: Peer
let b: Peer
let cid: CID
let target = ''
let count = 0

beforeAll(async () => {
  a = await createPeer({ backend: memory() })
  b = await createPeer({ backend: memory() })
  ;({ cid } = await unixfs(a).addDirectory([
    ...Object.entries(contents).map(([path, content]) => ({ path, content })),
    { path: 'docs/empty' }
  ]))
})
beforeEach(() => {
  target = join(base, `target-${count++}`)
})
afterAll(async () => {
  await a.stop()
  await b.stop()
})

async function expectWhole(): Promise<void> {
  for (const [path, content] of Object.entries(contents))
    expect(Buffer.compare(await readFile(join(target, path)), content), path).toBe(0)
}

it('reports bytes with their total, from one chunk to the next', async () => {
  const seen: ToFolderProgress[] = []
  const result = await toFolder(unixfs(b), cid, target, { onProgress: (progress) => seen.push(progress) })
  expect(result).toEqual({ files: 4, bytes: total })
  expect(seen[0]).toEqual({ files: 0, bytes: 0, total })
  expect(seen.at(-1)).toEqual({ files: 4, bytes: total, total })
  // The one large file alone takes several steps.
  expect(seen.filter(({ bytes }) => bytes > 0 && bytes <= size).length).toBeGreaterThan(4)
  const bytes = seen.map((progress) => progress.bytes)
  expect(bytes).toEqual(bytes.toSorted((x, y) => x - y))
  await expectWhole()
})

it('goes on in a folder that an interrupted call left', async () => {
  const enough = new Error('enough')
  const interrupted = toFolder(unixfs(b), cid, target, {
    onProgress: ({ bytes }) => {
      if (bytes > 2_000_000) throw enough
    }
  })
  await expect(interrupted).rejects.toBe(enough)
  const controller = new AbortController()
  const aborted = toFolder(unixfs(b), cid, target, {
    signal: controller.signal,
    onEntry: () => {
      controller.abort()
    }
  })
  expect((await failure(aborted)).code).toBe('ABORTED')
  // A process that is killed leaves any beginning of a file.
  await truncate(join(target, 'big.bin'), 1_234_567)
  const seen: number[] = []
  const result = await toFolder(unixfs(b), cid, target, { onProgress: ({ bytes }) => seen.push(bytes) })
  expect([result, seen.at(-1)]).toEqual([{ files: 4, bytes: total }, total])
  await expectWhole()
  expect(await toFolder(unixfs(b), cid, target)).toEqual({ files: 4, bytes: total })
})

it('asks nobody for files that are whole', async () => {
  await toFolder(unixfs(b), cid, target)
  const c = await createPeer({ backend: memory({ network: 'alone' }) })
  try {
    // Of all this, the directories and the roots of files are known there.
    for await (const entry of unixfs(a).walk(cid))
      if (entry.cid.code === 0x70) await c.blocks.putMany([{ cid: entry.cid, bytes: await a.blocks.get(entry.cid) }])
    await c.blocks.putMany([{ cid, bytes: await a.blocks.get(cid) }])
    expect(await toFolder(unixfs(c), cid, target, { local: true })).toEqual({ files: 4, bytes: total })
  } finally {
    await c.stop()
  }
})

it('goes on in files that others laid out', async () => {
  const bytes = seededBytes(300_000, 7)
  const store = {
    put: async (key: CID, block: unknown) => {
      await a.blocks.putMany([{ cid: key, bytes: block as Uint8Array }])
      return key
    }
  }
  let file: CID | undefined
  const options = { cidVersion: 0 as const, rawLeaves: false, chunker: fixedSize({ chunkSize: 50_000 }) }
  for await (const result of importer([{ content: bytes }], store, options)) file = result.cid
  const folder = await putDirectory(a, [{ Name: 'theirs', Hash: file as CID }])
  await toFolder(unixfs(b), folder, target)
  await toFolder(unixfs(b), folder, target)
  await truncate(join(target, 'theirs'), 123_456)
  expect(await toFolder(unixfs(b), folder, target)).toEqual({ files: 1, bytes: 300_000 })
  expect(Buffer.compare(await readFile(join(target, 'theirs')), bytes)).toBe(0)
})

it('changes nothing that is not of the directory', async () => {
  const refused = async (why: string): Promise<void> => {
    const error = await failure(toFolder(unixfs(b), cid, target))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) as string })
  }
  await toFolder(unixfs(b), cid, target)
  await appendFile(join(target, 'docs/a.txt'), 'mine')
  await refused('docs/a.txt')
  expect(await readFile(join(target, 'docs/a.txt'), 'utf8')).toBe('amine')
  await writeFile(join(target, 'docs/a.txt'), 'x')
  await refused('docs/a.txt" has other content')
  expect(await readFile(join(target, 'docs/a.txt'), 'utf8')).toBe('x')
  await writeFile(join(target, 'docs/a.txt'), 'a')
  await truncate(join(target, 'big.bin'), 100)
  await writeFile(join(target, 'docs/mine'), 'mine')
  await refused('"docs/mine" is not of it')
  // Not even what is of it was touched.
  expect((await readFile(join(target, 'big.bin'))).byteLength).toBe(100)
  target = join(base, 'through-a-link')
  await mkdir(join(base, 'outside'))
  await mkdir(target)
  await symlink(join(base, 'outside'), join(target, 'docs'))
  await refused('"docs" is not of it')
})

it('writes what it can, and names the rest at the end', async () => {
  const leaf = await a.blocks.put(text('fine'))
  const garbage = await a.blocks.put(text('garbage'), { codec: 0x70 })
  const folder = await putDirectory(a, [
    { Name: 'bad', Hash: garbage },
    { Name: 'good', Hash: leaf, Tsize: 3 }
  ])
  const seen: ToFolderProgress[] = []
  const error = await failure(toFolder(unixfs(b), folder, target, { onProgress: (progress) => seen.push(progress) }))
  expect(error).toMatchObject({ code: 'INVALID_CONTENT', message: expect.stringContaining('"bad"') as string })
  expect(await readFile(join(target, 'good'), 'utf8')).toBe('fine')
  // The directory lied by a byte.
  expect([seen[0], seen.at(-1)]).toEqual([
    { files: 0, bytes: 0, total: 3 },
    { files: 1, bytes: 4, total: 4 }
  ])
})

it('makes nothing of a directory that is larger than allowed', async () => {
  expect((await failure(toFolder(unixfs(b), cid, target, { maxBytes: total - 1 }))).code).toBe('TOO_LARGE')
  await expect(readFile(target)).rejects.toMatchObject({ code: 'ENOENT' })
})
