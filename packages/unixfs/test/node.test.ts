import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encode, prepare } from '@ipld/dag-pb'
import { createPeer, isP2plError } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { UnixFS } from 'ipfs-unixfs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { fromFolder, toFolder } from '../src/node.ts'

const base = temporaryFolder()
let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ backend: memory() })
})
afterAll(async () => {
  await peer.stop()
})

async function code(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (isP2plError(error) ? error.code : String(error))
  )
}

it('takes a folder from disk and puts it back', async () => {
  const source = join(base, 'source')
  await mkdir(join(source, 'sub/empty'), { recursive: true })
  await writeFile(join(source, 'a.bin'), seededBytes(2_500_000, 1))
  await writeFile(join(source, 'sub/b.txt'), 'b')
  await writeFile(join(source, '.hidden'), 'h')
  const { cid } = await unixfs(peer).addDirectory(fromFolder(source))
  const target = join(base, 'target')
  expect(await toFolder(unixfs(peer), cid, target)).toEqual({ files: 2, bytes: 2_500_001 })
  expect((await readdir(target, { recursive: true })).sort()).toEqual(['a.bin', 'sub', 'sub/b.txt', 'sub/empty'])
  expect(Buffer.compare(await readFile(join(target, 'a.bin')), seededBytes(2_500_000, 1))).toBe(0)
  const again = await unixfs(peer).addDirectory(fromFolder(target))
  expect(again.cid.toString()).toBe(cid.toString())
  const hidden = await unixfs(peer).addDirectory(fromFolder(source, { hidden: true }))
  expect(await unixfs(peer).resolve(`${hidden.cid.toString()}/.hidden`)).toBeDefined()
})

it('refuses symlinks on disk, or leaves them out', async () => {
  const source = join(base, 'links')
  await mkdir(source)
  await symlink('/etc/hostname', join(source, 'link'))
  expect(await code(unixfs(peer).addDirectory(fromFolder(source)))).toBe('UNSUPPORTED')
  const { cid } = await unixfs(peer).addDirectory(fromFolder(source, { others: 'skip' }))
  expect(cid.toString()).toBe('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354')
})

it('writes only into a folder that is empty', async () => {
  const { cid } = await unixfs(peer).addDirectory([{ path: 'a', content: new Uint8Array(1) }])
  const target = join(base, 'full')
  await mkdir(target)
  await writeFile(join(target, 'mine'), 'mine')
  expect(await code(toFolder(unixfs(peer), cid, target))).toBe('INVALID_ARGUMENT')
  expect(await readFile(join(target, 'mine'), 'utf8')).toBe('mine')
})

it('makes no more than it was allowed, however few blocks stand for it', async () => {
  const leaf = await peer.blocks.put(new Uint8Array(10))
  let bomb = leaf
  for (let level = 0; level < 40; level++) {
    const Links = ['a', 'b'].map((Name) => ({ Name, Hash: bomb, Tsize: 1 }))
    const Data = new UnixFS({ type: 'directory' }).marshal()
    bomb = await peer.blocks.put(encode(prepare({ Data, Links })), { codec: 0x70 })
  }
  expect(await code(toFolder(unixfs(peer), bomb, join(base, 'bomb'), { maxEntries: 50 }))).toBe('TOO_LARGE')
  const { cid } = await unixfs(peer).addDirectory([
    { path: 'a', content: new Uint8Array(10) },
    { path: 'b', content: new Uint8Array(10) }
  ])
  expect(await code(toFolder(unixfs(peer), cid, join(base, 'bytes'), { maxBytes: 19 }))).toBe('TOO_LARGE')
  expect(await toFolder(unixfs(peer), cid, join(base, 'fits'), { maxBytes: 20, maxEntries: 2 })).toEqual({
    files: 2,
    bytes: 20
  })
  expect(await code(toFolder(unixfs(peer), cid, join(base, 'odd'), { maxBytes: NaN }))).toBe('INVALID_ARGUMENT')
})

it('gives typed errors for what the disk says', async () => {
  expect(await code(unixfs(peer).addDirectory(fromFolder(join(base, 'nowhere'))))).toBe('INVALID_ARGUMENT')
  const { cid } = await unixfs(peer).addDirectory([{ path: 'a', content: new Uint8Array(1) }])
  const file = join(base, 'a file')
  await writeFile(file, 'x')
  expect(await code(toFolder(unixfs(peer), cid, file))).toBe('INVALID_ARGUMENT')
  expect(await code(toFolder(unixfs(peer), cid, join(file, 'below')))).toBe('INVALID_ARGUMENT')
})

it('never leaves its folder: names that climb, symlinks, and one name twice', async () => {
  const outside = join(base, 'outside')
  await mkdir(outside)
  const file = await peer.blocks.put(new Uint8Array([1]))
  const link = await peer.blocks.put(
    encode(prepare({ Data: new UnixFS({ type: 'symlink', data: Buffer.from(outside) }).marshal(), Links: [] })),
    { codec: 0x70 }
  )
  const folder = async (links: { Name: string; Hash: typeof file }[]): Promise<typeof file> => {
    const Data = new UnixFS({ type: 'directory' }).marshal()
    return await peer.blocks.put(encode(prepare({ Data, Links: links.map((each) => ({ ...each, Tsize: 1 })) })), {
      codec: 0x70
    })
  }
  const sub = await folder([{ Name: 'evil', Hash: file }])
  const climbing = await folder([{ Name: '../outside/evil', Hash: file }])
  const through = await folder([
    { Name: 'x', Hash: link },
    { Name: 'x', Hash: sub }
  ])
  const twice = await folder([
    { Name: 'x', Hash: file },
    { Name: 'x', Hash: file }
  ])
  expect(await code(toFolder(unixfs(peer), climbing, join(base, 't1')))).toBe('INVALID_CONTENT')
  expect(await code(toFolder(unixfs(peer), through, join(base, 't2')))).toBe('UNSUPPORTED')
  expect(await toFolder(unixfs(peer), through, join(base, 't3'), { symlinks: 'skip' })).toEqual({ files: 1, bytes: 1 })
  expect(await code(toFolder(unixfs(peer), twice, join(base, 't4')))).toBe('INVALID_CONTENT')
  expect(await readdir(outside)).toEqual([])
})
