import { encode, prepare } from '@ipld/dag-pb'
import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { seededBytes } from '@p2pl/tooling-vitest'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { all, collect, putDirectory, text } from './support.ts'

const mebibyte = 1024 * 1024
let a: Peer
let b: Peer

beforeAll(async () => {
  a = await createPeer({ backend: memory() })
  b = await createPeer({ backend: memory() })
})
afterAll(async () => {
  await a.stop()
  await b.stop()
})

/** A CID that nobody has, and perhaps nobody could check. */
function strange(codec: number, hash: number): CID {
  return CID.createV1(codec, createDigest(hash, seededBytes(32, codec + hash)))
}

describe('listing a folder of others', () => {
  it('fetches the folder and no file of it', async () => {
    const files = Array.from({ length: 40 }, (_, i) => ({ path: `f/${i}`, content: seededBytes(mebibyte, i) }))
    const { cid } = await unixfs(a).addDirectory([
      ...files,
      { path: 'large', content: seededBytes(mebibyte + 1, 50) },
      { path: 'sub/leaf', content: text('x') }
    ])
    const root = await all(unixfs(b).ls(cid))
    expect(root.map(({ name, kind, size }) => [name, kind, size])).toEqual([
      ['f', undefined, undefined],
      ['large', undefined, undefined],
      ['sub', undefined, undefined]
    ])
    const large = root[1]?.cid as CID
    const node = await a.blocks.get(large)
    expect(root[1]?.blockBytes).toBe(mebibyte + 1 + node.byteLength)
    const listed = await all(unixfs(b).ls(`${cid.toString()}/f`))
    expect(listed).toHaveLength(40)
    for (const { kind, size } of listed) expect([kind, size]).toEqual(['file', mebibyte])
    const here = await Promise.all([...root, ...listed].map(async (entry) => await b.blocks.has(entry.cid)))
    // Of all these, the folder that was listed is here.
    expect(here.filter(Boolean)).toHaveLength(1)
    // What is here is known.
    expect((await all(unixfs(b).ls(cid))).map(({ kind }) => kind)).toEqual(['directory', undefined, undefined])
    expect((await all(unixfs(a).ls(cid))).map(({ kind, size }) => [kind, size])).toEqual([
      ['directory', undefined],
      ['file', mebibyte + 1],
      ['directory', undefined]
    ])
  })

  it('fetches the parts of a sharded folder, and no file of it', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `${'entry of a large folder'.padEnd(240, '.')}${i}`)
    const { cid } = await unixfs(a).addDirectory(names.map((path, i) => ({ path, content: seededBytes(20, i) })))
    const listed = await all(unixfs(b).ls(cid))
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(names))
    expect(listed.every(({ kind, size }) => kind === 'file' && size === 20)).toBe(true)
    const here = await Promise.all(listed.map(async (entry) => await b.blocks.has(entry.cid)))
    expect(here.some(Boolean)).toBe(false)
  })

  it('walks it with folders and roots of files, and without the bytes of files', async () => {
    const { cid } = await unixfs(a).addDirectory([
      { path: 'd/small', content: seededBytes(1_000, 60) },
      { path: 'large', content: seededBytes(2 * mebibyte, 61) }
    ])
    const walked = await all(unixfs(b).walk(cid))
    expect(walked.map(({ path, kind, size }) => [path, kind, size])).toEqual([
      ['d', 'directory', undefined],
      ['d/small', 'file', 1_000],
      ['large', 'file', 2 * mebibyte]
    ])
    const here = await Promise.all(walked.map(async (entry) => await b.blocks.has(entry.cid)))
    expect(here).toEqual([true, false, true])
    expect(await b.data.has(walked[2]?.cid as CID)).toBe(false)
  })
})

describe('a folder with bad entries', () => {
  it('lists the others, and then names what cannot be a file', async () => {
    const leaf = await a.blocks.put(text('fine'))
    const cid = await putDirectory(a, [
      { Name: '../evil', Hash: leaf },
      { Name: 'blake3', Hash: strange(0x55, 0x1e) },
      { Name: 'codec', Hash: strange(0x1234, 0x12) },
      { Name: 'fine', Hash: leaf, Tsize: 4 },
      { Name: 'missing', Hash: strange(0x70, 0x12) },
      { Name: 'z', Hash: strange(0x70, 0x1e) }
    ])
    const { items, error } = await collect(unixfs(a).ls(cid))
    expect(items.map(({ name, kind, size }) => [name, kind, size])).toEqual([
      ['blake3', 'file', 1],
      ['codec', 'block', undefined],
      ['fine', 'file', 4],
      ['missing', undefined, undefined],
      ['z', undefined, undefined]
    ])
    expect(error).toMatchObject({ code: 'INVALID_CONTENT', operation: 'unixfs.ls' })
    expect((error as Error).message).toMatch(/^all was listed but "\.\.\/evil" \(.*it contains a slash\)$/)
  })

  it('walks the others, and then names what cannot be read', async () => {
    const leaf = await a.blocks.put(text('fine'))
    const [missing, unknown] = [strange(0x70, 0x12), strange(0x70, 0x1e)]
    const garbage = await a.blocks.put(text('garbage'), { codec: 0x70 })
    const inner = await putDirectory(a, [
      { Name: 'bad', Hash: garbage },
      { Name: 'good', Hash: leaf, Tsize: 4 }
    ])
    const cid = await putDirectory(a, [
      { Name: 'inner', Hash: inner },
      { Name: 'missing', Hash: missing },
      { Name: 'unknown', Hash: unknown },
      { Name: 'zebra', Hash: leaf, Tsize: 4 }
    ])
    const { items, error } = await collect(unixfs(a).walk(cid, { local: true }))
    expect(items.map(({ path }) => path)).toEqual(['inner', 'inner/good', 'zebra'])
    const { message } = error as Error
    for (const [name, what] of [
      ['"inner/bad"', garbage],
      ['"missing"', missing],
      ['"unknown"', unknown]
    ] as const) {
      expect(message).toContain(name)
      expect(message).toContain(what.toString())
    }
    const stopped = new AbortController()
    const walk = collect(unixfs(a).walk(cid, { signal: stopped.signal }))
    stopped.abort()
    expect((await walk).error).toMatchObject({ code: 'ABORTED' })
  })

  it('lists what is there of a sharded one that lacks a part, and names the part', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `${'another large folder'.padEnd(240, '.')}${i}`)
    const { cid } = await unixfs(a).addDirectory(names.map((path) => ({ path, content: text('x') })))
    const parts = (await all(unixfs(a).ls(cid))).length
    expect(parts).toBe(1_200)
    await a.data.unpin(cid)
    const { decode } = await import('@ipld/dag-pb')
    const part = decode(await a.blocks.get(cid)).Links.find(({ Name }) => Name?.length === 2)?.Hash as CID
    await a.blocks.delete(part)
    const { items, error } = await collect(unixfs(a).ls(cid, { local: true }))
    expect(items.length).toBeGreaterThan(1_100)
    expect(items.length).toBeLessThan(1_200)
    expect((error as Error).message).toContain(`the part ${part.toString()}`)
  })

  it('names ten of many', async () => {
    const leaf = await a.blocks.put(text('fine'))
    const cid = await putDirectory(
      a,
      Array.from({ length: 30 }, (_, i) => ({ Name: `../${i}`, Hash: leaf }))
    )
    const { items, error } = await collect(unixfs(a).ls(cid))
    expect(items).toEqual([])
    expect((error as Error).message).toMatch(/and 20 more$/)
  })
})

describe('a directory that claims what cannot be', () => {
  it('is refused: a size beyond all numbers, a part of another kind', async () => {
    const huge = new UnixFS({ type: 'file', blockSizes: [2n ** 60n, 2n ** 60n] })
    const leaf = await a.blocks.put(text('x'))
    const Links = [1, 2].map(() => ({ Name: '', Hash: leaf, Tsize: 1 }))
    const file = await a.blocks.put(encode(prepare({ Data: huge.marshal(), Links })), { codec: 0x70 })
    await expect(unixfs(a).stat(file)).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    const shard = new UnixFS({ type: 'hamt-sharded-directory', hashType: 0x22n, fanout: 256n }).marshal()
    const plain = await putDirectory(a, [{ Name: 'x', Hash: leaf }])
    const sharded = encode(prepare({ Data: shard, Links: [{ Name: '0A', Hash: plain, Tsize: 1 }] }))
    const cid = await a.blocks.put(sharded, { codec: 0x70 })
    const { items, error } = await collect(unixfs(a).ls(cid))
    expect([items, error]).toEqual([[], expect.objectContaining({ code: 'INVALID_CONTENT' })])
  })
})
