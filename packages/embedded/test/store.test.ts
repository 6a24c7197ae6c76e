import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as dagCbor from '@ipld/dag-cbor'
import { isP2plError } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterEach, describe, expect, it } from 'vitest'
import { createFailures, MemoryTable, openTables, Pins, type OpenTables, type Table } from '../src/index.ts'
import { walkDag } from '../src/store/walk.ts'
import { WriteQueue, type LevelOperation } from '../src/store/write-queue.ts'

const failures = createFailures('test')
const toClose: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of toClose.splice(0).toReversed()) await close()
})

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'p2pl-embedded-'))
  toClose.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function open(dir: string | undefined): Promise<OpenTables<'a' | 'b'>> {
  const opened = await openTables(failures, { dir, sync: false, names: { a: 'a', b: 'b' } })
  toClose.push(() => opened.close())
  return opened
}

/** As texts, in no order. */
async function keysOf(table: Table, prefix?: Uint8Array): Promise<Set<string>> {
  const keys = new Set<string>()
  for await (const key of table.keys(prefix)) keys.add(key.join(' '))
  return keys
}

describe.each(['memory', 'folder'])('tables in %s', (where) => {
  it('are apart from each other, and list the keys of a prefix, also one that ends in 0xff', async () => {
    const { tables } = await open(where === 'folder' ? await folder() : undefined)
    const keys = [[0x00], [0xff], [0xff, 0x00], [0xff, 0xff, 0x07], [0xfe, 0xff]].map((key) => Uint8Array.from(key))
    await tables.a.write(keys.map((key) => ({ key, value: key })))
    await tables.b.write([{ key: Uint8Array.of(9), value: Uint8Array.of(1) }])
    expect(await keysOf(tables.a)).toEqual(new Set(keys.map((key) => key.join(' '))))
    expect(await keysOf(tables.a, Uint8Array.of(0xff))).toEqual(new Set(['255', '255 0', '255 255 7']))
    expect(await keysOf(tables.b)).toEqual(new Set(['9']))
    await tables.a.write([{ key: Uint8Array.of(0xff), value: undefined }])
    expect(await tables.a.has(Uint8Array.of(0xff))).toBe(false)
    expect(await tables.a.get(Uint8Array.of(0xff))).toBeUndefined()
    expect(await tables.a.get(Uint8Array.of(0xfe, 0xff))).toEqual(Uint8Array.of(0xfe, 0xff))
  })
})

describe('a folder', () => {
  it('is the owner’s only, and keeps what was written', async () => {
    const dir = join(await folder(), 'deeper')
    const first = await open(dir)
    await first.tables.a.write([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }])
    await first.close()
    expect((await stat(dir)).mode & 0o077).toBe(0)
    const second = await open(dir)
    expect(await second.tables.a.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2))
  })

  it('that is in use is LOCKED, and one that cannot be is STORAGE', async () => {
    const dir = await folder()
    await open(dir)
    await expect(open(dir)).rejects.toSatisfy((error) => isP2plError(error, 'LOCKED'))
    await expect(open(import.meta.filename)).rejects.toSatisfy((error) => isP2plError(error, 'STORAGE'))
  })
})

describe('the queue of writes', () => {
  it('joins what comes while a write is under way, and one that fails takes only its own with it', async () => {
    const batches: LevelOperation[][] = []
    const gates: PromiseWithResolvers<void>[] = []
    const queue = new WriteQueue(
      {
        batch: (operations) => {
          batches.push(operations)
          const gate = Promise.withResolvers<void>()
          gates.push(gate)
          return gate.promise
        }
      },
      true
    )
    const del = (byte: number): LevelOperation => ({ type: 'del', key: Uint8Array.of(byte) })
    const first = queue.write([del(1)])
    await Promise.resolve().then(() => {})
    const second = queue.write([del(2)])
    const third = queue.write([del(3), del(4)])
    gates[0]?.reject(new Error('disk full'))
    await expect(first).rejects.toThrow('disk full')
    await Promise.resolve().then(() => {})
    gates[1]?.resolve()
    await Promise.all([second, third])
    expect(batches.map((batch) => batch.map(({ key }) => key[0]))).toEqual([[1], [2, 3, 4]])
  })
})

describe('walks', () => {
  it('go through a block of two hundred thousand numbers, and a deep one', async () => {
    const leaf = await nodeOf({ leaf: true })
    let deep: unknown = leaf.cid
    for (let depth = 0; depth < 500; depth++) deep = [deep]
    const root = await nodeOf({ wide: Array.from({ length: 200_000 }, (_, i) => i), deep })
    const blocks = new Map([root, leaf].map((block) => [block.cid.toString(), block.bytes]))
    const seen: string[] = []
    for await (const { cid } of walkDag(failures, 'test', root.cid, async (each) => blocks.get(each.toString())!))
      seen.push(cid.toString())
    expect(seen).toEqual([root.cid.toString(), leaf.cid.toString()])
    const pins = new Pins(failures, new MemoryTable())
    await pins.add(root.cid, true, async (cid) => blocks.get(cid.toString())!)
    expect(await pins.holds(leaf.cid.multihash.bytes)).toBe(true)
  })
})

async function nodeOf(value: unknown): Promise<{ cid: CID; bytes: Uint8Array }> {
  const bytes = dagCbor.encode(value)
  return { cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)), bytes }
}
