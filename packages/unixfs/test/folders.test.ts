import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { decode, encode, prepare } from '@ipld/dag-pb'
import { memory } from '@p2pl/memory'
import { seededBytes } from '@p2pl/tooling-vitest'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import type { DirectoryEntry, Entry } from '../src/index.ts'
import { all, failure, text } from './support.ts'

let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ backend: memory() })
})
afterAll(async () => {
  await peer.stop()
})

async function read(path: CID | string): Promise<string> {
  return Buffer.concat(await all(unixfs(peer).get(path))).toString()
}

const sample: DirectoryEntry[] = [
  { path: 'readme.txt', content: text('hello') },
  { path: 'docs/a.txt', content: [text('a'), text('b')] },
  { path: 'docs/deep/er/b.bin', content: seededBytes(3_000_000, 1) },
  { path: 'empty' },
  { path: 'docs/ünï \\', content: new Blob(['blob']) },
  { path: 'nothing', content: new Uint8Array(0) }
]
/** Names that some program gives a meaning, and UnixFS none. */
const oddNames = ['__proto__', 'constructor', 'a^b', 'q?x', 'h#x', '100%', '%2F', ' ', '.hidden', 'a\nb', 'c:', '..a']

describe('a folder', () => {
  it('is written and read back', async () => {
    const folders = unixfs(peer)
    const progress: { bytes: number; files: number }[] = []
    const { cid, size } = await folders.addDirectory(sample, { onProgress: (at) => progress.push(at) })
    expect(progress.at(-1)).toEqual({ bytes: 3_000_000 + 5 + 2 + 4, files: 5 })
    expect(size).toBeGreaterThan(3_000_000)
    expect((await all(folders.ls(cid))).map(({ name, kind, size: bytes }) => [name, kind, bytes])).toEqual([
      ['docs', 'directory', undefined],
      ['empty', 'directory', undefined],
      ['nothing', 'file', 0],
      ['readme.txt', 'file', 5]
    ])
    expect((await all(folders.walk(cid))).map(({ path }) => path)).toEqual([
      'docs',
      'docs/a.txt',
      'docs/deep',
      'docs/deep/er',
      'docs/deep/er/b.bin',
      'docs/ünï \\',
      'empty',
      'nothing',
      'readme.txt'
    ])
    expect(await read(`${cid.toString()}/docs/a.txt`)).toBe('ab')
    expect(await read(`/ipfs/${cid.toString()}/docs/ünï \\`)).toBe('blob')
    expect((await folders.stat(`${cid.toString()}/docs/deep/er/b.bin`)).size).toBe(3_000_000)
    const part = await all(folders.get(`${cid.toString()}/docs/deep/er/b.bin`, { offset: 1_048_570, length: 20 }))
    expect(Buffer.concat(part)).toEqual(Buffer.from(seededBytes(3_000_000, 1).subarray(1_048_570, 1_048_590)))
    expect((await all(peer.data.pins())).map((pin) => pin.cid.toString())).toContain(cid.toString())
    expect(await peer.data.has(cid)).toBe(true)
  })

  it('may use any name that file systems take', async () => {
    const { cid } = await unixfs(peer).addDirectory(oddNames.map((path) => ({ path, content: text(path) })))
    expect((await all(unixfs(peer).ls(cid))).map(({ name }) => name).sort()).toEqual([...oddNames].sort())
    for (const name of oddNames) expect(await read(`${cid.toString()}/${name}`)).toBe(name)
  })

  it('has the same CID in whatever order its entries come', async () => {
    const forth = await unixfs(peer).addDirectory(sample)
    const back = await unixfs(peer).addDirectory(sample.toReversed())
    expect(back.cid.toString()).toBe(forth.cid.toString())
  })

  it('can be empty: the CID that every implementation gives', async () => {
    const { cid } = await unixfs(peer).addDirectory([])
    expect(cid.toString()).toBe('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354')
    expect(await all(unixfs(peer).ls(cid))).toEqual([])
  })

  it('keeps mode and mtime where they are given', async () => {
    const mtime = { secs: 1_700_000_000n, nsecs: 7 }
    const { cid } = await unixfs(peer).addDirectory([
      { path: 'd/run.sh', content: text('#!'), mode: 0o755, mtime },
      { path: 'd', mode: 0o700, mtime },
      { path: 'plain', content: text('p') }
    ])
    expect(await unixfs(peer).stat(`${cid.toString()}/d`)).toMatchObject({ kind: 'directory', mode: 0o700, mtime })
    expect(await unixfs(peer).stat(`${cid.toString()}/d/run.sh`)).toMatchObject({
      kind: 'file',
      mode: 0o755,
      mtime,
      size: 2
    })
    expect(await unixfs(peer).stat(`${cid.toString()}/plain`)).not.toHaveProperty('mtime')
    expect(await read(`${cid.toString()}/d/run.sh`)).toBe('#!')
  })

  it('of thousands of files is sharded, and read, listed and resolved like any other', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `${'entry of a large folder'.padEnd(240, '.')}${i}`)
    const { cid } = await unixfs(peer).addDirectory(
      names.map((name, i) => ({ path: `big/${name}`, content: text(String(i)) }))
    )
    const big = await unixfs(peer).resolve(`${cid.toString()}/big`)
    expect(UnixFS.unmarshal(decode(await peer.blocks.get(big)).Data as Uint8Array).type).toBe('hamt-sharded-directory')
    const listed = await all(unixfs(peer).ls(big))
    expect(new Set(listed.map((entry) => entry.name))).toEqual(new Set(names))
    for (const i of [0, 1, 777, 1_199]) expect(await read(`${big.toString()}/${names[i] as string}`)).toBe(String(i))
    expect((await failure(unixfs(peer).resolve(`${big.toString()}/none`))).code).toBe('NOT_FOUND')
  })

  it('of thousands of folders is sharded by what the links to them take', async () => {
    const entries = Array.from({ length: 1_200 }, (_, i) => ({
      path: `${'folder'.padEnd(240, '-')}${i}/f`,
      content: text('x')
    }))
    const { cid } = await unixfs(peer).addDirectory(entries)
    const root = await peer.blocks.get(cid)
    expect(root.byteLength).toBeLessThan(262_144)
    expect(await all(unixfs(peer).ls(cid))).toHaveLength(1_200)
  })
})

describe('what is refused', () => {
  it.each(['', '/', 'a//b', '../a', 'a/../b', './a', 'a/.', '/a', 'a/', 'a\0b', 'x'.repeat(256), '\ud800'])(
    'the path %j',
    async (path) => {
      const error = await failure(unixfs(peer).addDirectory([{ path, content: text('x') }]))
      expect(error.code).toBe('INVALID_ARGUMENT')
    }
  )

  it('paths that contradict each other', async () => {
    const file = { path: 'a', content: text('x') }
    for (const entries of [
      [file, file],
      [file, { path: 'a/b', content: text('y') }],
      [{ path: 'a/b' }, file],
      [{ path: 'd' }, { path: 'd' }]
    ]) {
      expect((await failure(unixfs(peer).addDirectory(entries))).code).toBe('INVALID_ARGUMENT')
    }
  })

  it('sources that fail: with their own error, and nothing pinned', async () => {
    const before = (await all(peer.data.pins())).length
    const broken = new Error('the disk is gone')
    const entries = [
      { path: 'ok', content: text('x') },
      {
        path: 'bad',
        content: (async function* () {
          yield text('part')
          throw broken
        })()
      }
    ]
    await expect(unixfs(peer).addDirectory(entries)).rejects.toBe(broken)
    expect((await all(peer.data.pins())).length).toBe(before)
  })

  it('work after the signal fired, also when a source never answers', async () => {
    const controller = new AbortController()
    let ended = false
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          queueMicrotask(() => {
            controller.abort()
          })
          return new Promise(() => undefined)
        },
        return: async () => {
          ended = true
          return { done: true, value: undefined }
        }
      })
    }
    const work = unixfs(peer).addDirectory([{ path: 'a', content: silent }], { signal: controller.signal })
    expect((await failure(work)).code).toBe('ABORTED')
    expect(ended).toBe(true)
    expect((await failure(unixfs(peer).addDirectory([], { signal: controller.signal }))).code).toBe('ABORTED')
    const { cid } = await unixfs(peer).addDirectory([])
    expect((await failure(all(unixfs(peer).walk(cid, { signal: controller.signal })))).code).toBe('ABORTED')
  })

  it('paths through files, unknown names, and what is no CID', async () => {
    const { cid } = await unixfs(peer).addDirectory([
      { path: 'f', content: text('x') },
      { path: 'big', content: seededBytes(2_000_000, 3) }
    ])
    const root = cid.toString()
    expect((await failure(unixfs(peer).resolve(`${root}/f/x`))).code).toBe('NOT_FOUND')
    expect((await failure(unixfs(peer).resolve(`${root}/big/x`))).code).toBe('NOT_FOUND')
    expect((await failure(unixfs(peer).resolve(`${root}/g`))).code).toBe('NOT_FOUND')
    expect((await failure(unixfs(peer).resolve(`${root}/../f`))).code).toBe('INVALID_ARGUMENT')
    expect((await failure(unixfs(peer).resolve('no cid/x'))).code).toBe('INVALID_ARGUMENT')
    expect((await failure(all(unixfs(peer).ls(`${root}/f`)))).code).toBe('INVALID_ARGUMENT')
    const directory = await failure(all(unixfs(peer).get(root)))
    expect(directory).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('list it with ls') as string
    })
  })

  it('a stream that somebody reads, and content that has no bytes: with what to give instead', async () => {
    const stream = new ReadableStream<Uint8Array>()
    stream.getReader()
    const add = async (content: unknown): Promise<{ code: string; message: string }> =>
      await failure(unixfs(peer).addDirectory([{ path: 'a', content: content as Uint8Array }]))
    expect(await add(stream)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('locked') as string
    })
    expect((await add(['hello'])).code).toBe('INVALID_ARGUMENT')
    expect((await add(5)).code).toBe('INVALID_ARGUMENT')
  })

  it('directories of others with names that lead elsewhere', async () => {
    const leaf = await peer.blocks.put(text('evil'))
    for (const name of ['..', '.', '', 'a/b', '../../etc/passwd', 'nul\0']) {
      const directory = new UnixFS({ type: 'directory' })
      const bytes = encode(prepare({ Data: directory.marshal(), Links: [{ Name: name, Hash: leaf, Tsize: 4 }] }))
      const cid = await peer.blocks.put(bytes, { codec: 0x70 })
      expect((await failure(all(unixfs(peer).ls(cid)))).code).toBe('INVALID_CONTENT')
      expect((await failure(all(unixfs(peer).walk(cid)))).code).toBe('INVALID_CONTENT')
    }
  })

  it('sharded directories that claim absurd tables, and nodes that are no UnixFS', async () => {
    const shard = new UnixFS({ type: 'hamt-sharded-directory', hashType: 0x22n, fanout: 2n ** 40n })
    const cid = await peer.blocks.put(encode(prepare({ Data: shard.marshal(), Links: [] })), { codec: 0x70 })
    expect((await failure(unixfs(peer).resolve(`${cid.toString()}/x`))).code).toBe('INVALID_CONTENT')
    const bare = await peer.blocks.put(encode(prepare({ Links: [] })), { codec: 0x70 })
    expect((await failure(all(unixfs(peer).ls(bare)))).code).toBe('INVALID_CONTENT')
    const garbage = await peer.blocks.put(text('garbage'), { codec: 0x70 })
    expect((await failure(unixfs(peer).stat(garbage))).code).toBe('INVALID_CONTENT')
  })

  it('a few parts of a sharded directory that are linked over and over', async () => {
    const shard = async (links: readonly { Name: string; Hash: CID; Tsize: number }[]): Promise<CID> => {
      const node = new UnixFS({ type: 'hamt-sharded-directory', hashType: 0x22n, fanout: 256n })
      return await peer.blocks.put(encode(prepare({ Data: node.marshal(), Links: [...links] })), { codec: 0x70 })
    }
    let part = await shard([])
    for (let level = 0; level < 8; level++) {
      const names = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase().padStart(2, '0'))
      part = await shard(names.map((Name) => ({ Name, Hash: part, Tsize: 1 })))
    }
    expect((await failure(all(unixfs(peer).ls(part)))).code).toBe('INVALID_CONTENT')
    expect((await failure(all(unixfs(peer).walk(part)))).code).toBe('INVALID_CONTENT')
  })

  it('entries that never come: after the timeout, or when the signal fires', async () => {
    let ended = 0
    const silent: AsyncIterable<DirectoryEntry> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          ended++
          return { done: true, value: undefined }
        }
      })
    }
    const controller = new AbortController()
    const aborted = failure(unixfs(peer).addDirectory(silent, { signal: controller.signal }))
    controller.abort()
    expect((await aborted).code).toBe('ABORTED')
    expect((await failure(unixfs(peer).addDirectory(silent, { timeout: 10 }))).code).toBe('TIMEOUT')
    const content = new ReadableStream<Uint8Array>()
    expect((await failure(unixfs(peer).addDirectory([{ path: 'a', content }], { timeout: 10 }))).code).toBe('TIMEOUT')
    expect((await failure(unixfs(peer).addDirectory([], { timeout: 0 }))).code).toBe('INVALID_ARGUMENT')
    expect((await failure(unixfs(peer).addDirectory(5 as never))).code).toBe('INVALID_ARGUMENT')
    expect(ended).toBe(2)
  })

  it('symlinks as files: they are named, never followed', async () => {
    const link = new UnixFS({ type: 'symlink', data: text('/etc/passwd') })
    const target = await peer.blocks.put(encode(prepare({ Data: link.marshal(), Links: [] })), { codec: 0x70 })
    const directory = new UnixFS({ type: 'directory' })
    const bytes = encode(prepare({ Data: directory.marshal(), Links: [{ Name: 'link', Hash: target, Tsize: 4 }] }))
    const cid = await peer.blocks.put(bytes, { codec: 0x70 })
    const [entry] = (await all(unixfs(peer).ls(cid))) as [Entry]
    expect(entry).toMatchObject({ kind: 'symlink', target: '/etc/passwd' })
    const refused = await failure(all(unixfs(peer).get(`${cid.toString()}/link`)))
    expect(refused.code).toBe('UNSUPPORTED')
    expect(refused.message).toContain('is a symlink to "/etc/passwd"')
    expect(refused.message).not.toContain('@p2pl/unixfs')
  })
})

describe('a folder that is being added', () => {
  it('is safe from gc until it is pinned', async () => {
    const files = Array.from({ length: 40 }, (_, i) => ({
      path: `f${i}`,
      content: (async function* () {
        for (let part = 0; part < 3; part++) {
          // What was stored so far is pinned by nothing.
          if (i % 7 === 0) void all(peer.data.gc())
          yield seededBytes(600_000, i * 10 + part)
        }
      })()
    }))
    const { cid } = await unixfs(peer).addDirectory(files)
    await all(peer.data.gc())
    expect(await peer.data.has(cid)).toBe(true)
    const last = await unixfs(peer).resolve(`${cid.toString()}/f39`)
    expect((await peer.data.bytes(last)).byteLength).toBe(1_800_000)
  })
})
