import { statSync } from 'node:fs'
import { join } from 'node:path'
import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { openTables } from '../src/index.ts'
import { collect } from '@p2pl/tooling-vitest/blocks'
import { folder, open } from './support/stores.ts'

const texts = (keys: readonly Uint8Array[]) => keys.map((key) => key.join(' ')).toSorted()

describe.each(['memory', 'folder'])('tables in %s', (where) => {
  it('are apart from each other, and list the keys of a prefix, also one that ends in 0xff', async () => {
    const { tables } = await open(where === 'folder' ? folder() : undefined)
    const keys = [[0x00], [0xff], [0xff, 0x00], [0xff, 0xff, 0x07], [0xfe, 0xff]].map((key) => Uint8Array.from(key))
    await tables.blocks.write(keys.map((key) => ({ key, value: key })))
    await tables.pins.write([{ key: Uint8Array.of(9), value: Uint8Array.of(1) }])
    expect(texts(await collect(tables.blocks.keys()))).toEqual(texts(keys))
    expect(texts(await collect(tables.blocks.keys(Uint8Array.of(0xff))))).toEqual(['255', '255 0', '255 255 7'])
    expect(texts(await collect(tables.pins.keys()))).toEqual(['9'])
    await tables.blocks.write([{ key: Uint8Array.of(0xff), value: undefined }])
    expect(await tables.blocks.has(Uint8Array.of(0xff))).toBe(false)
    expect(await tables.blocks.get(Uint8Array.of(0xff))).toBeUndefined()
    expect(await tables.blocks.length(Uint8Array.of(0xff))).toBeUndefined()
    expect(await tables.blocks.get(Uint8Array.of(0xfe, 0xff))).toEqual(Uint8Array.of(0xfe, 0xff))
    expect(await tables.blocks.length(Uint8Array.of(0xfe, 0xff))).toBe(2)
  })
})

it('a folder belongs to its owner, and keeps what was written', async () => {
  const dir = join(folder(), 'deeper')
  const first = await open(dir)
  await first.tables.pins.write([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }])
  await first.close()
  expect(statSync(join(dir, 'store')).mode & 0o077).toBe(0)
  const second = await open(dir)
  expect(await second.tables.pins.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2))
})

it('a folder in use is LOCKED, and a file in its place is STORAGE, in the name of the backend', async () => {
  const dir = folder()
  await open(dir)
  await expect(open(dir)).rejects.toSatisfy((error) => isP2plError(error, 'LOCKED') && error.backend === 'test')
  const names = { pins: 'p' }
  const file = openTables({ backend: 'test', dir: import.meta.filename, durability: 'power', names })
  await expect(file).rejects.toMatchObject({ code: 'STORAGE', operation: 'start' })
})
