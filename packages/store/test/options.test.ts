import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import { type Database, openStore, type StoreOptions } from '../src/index.ts'
import { folder, keyOf, openAt, put, remedy, storeAt } from './support/store.ts'

const right = {
  location: '/nowhere',
  format: { name: 'test', version: 1 },
  durability: 'process',
  remedy,
  operations: { open: 'open', read: 'read', write: 'write' }
}

describe('options that are wrong are INVALID_ARGUMENT before anything is touched:', () => {
  it.each<[string, unknown]>([
    ['the options', undefined],
    ['the options', null],
    ['the options', 'a folder'],
    ['"sync"', { ...right, sync: true }],
    ['location', { ...right, location: undefined }],
    ['location', { ...right, location: '' }],
    ['location', { ...right, location: 7 }],
    ['location', { ...right, location: 'a\0b' }],
    ['format.name', { ...right, format: undefined }],
    ['format.version', { ...right, format: { name: 'test', version: '1' } }],
    ['durability', { ...right, durability: undefined }],
    ['durability', { ...right, durability: 'powr' }],
    ['remedy', { ...right, remedy: undefined }],
    ['operations.open', { ...right, operations: undefined }],
    ['operations.write', { ...right, operations: { open: 'open', read: 'read' } }],
    ['backend', { ...right, backend: 7 }],
    ['content', { ...right, content: { gte: 'a', lt: 'b' } }],
    ['report', { ...right, report: 'all' }]
  ])('%s of %j', async (named, options) => {
    const dir = join(folder(), 'store')
    const given = (options as typeof right | undefined)?.location === right.location
    const at = given ? { ...(options as object), location: dir } : options
    await expect(openStore(at as StoreOptions)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(named) as unknown
    })
    expect(existsSync(dir)).toBe(false)
  })
})

describe('a folder that cannot be made is refused with STORAGE and a reason:', () => {
  it('its parent is a file', async () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    await expect(storeAt(join(file, 'store'))).rejects.toMatchObject({ code: 'STORAGE' })
    await expect(storeAt(file)).rejects.toMatchObject({ code: 'STORAGE' })
  })

  it.runIf(process.platform === 'linux').each(['/proc/p2pl', '/proc/p2pl/store', '/proc/self/p2pl'])(
    '%s, where a recursive mkdir never ends',
    async (location) => {
      await expect(storeAt(location)).rejects.toMatchObject({
        code: 'STORAGE',
        message: expect.stringMatching(/cannot be made, because \/proc\S* takes no folders/) as unknown
      })
    }
  )
})

it('a folder is made with its parents, and a database in memory needs none', async () => {
  const dir = join(folder(), 'a', 'b', 'store')
  await put(await openAt(dir), 'a', 10)
  expect(readdirSync(dir)).toContain('CURRENT')
  const store = await openAt(new MemoryLevel<string, Uint8Array>() as unknown as Database)
  await put(store, 'a', 10)
  expect(await store.get(keyOf('a'))).toHaveLength(10)
})
