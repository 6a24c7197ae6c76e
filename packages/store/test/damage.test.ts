import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isP2plError } from '@p2pl/core/backend'
import { seededRandom } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { readLog } from '../src/check/log.ts'
import { compare, content, folder, keyOf, openAt, put, remedy, storeAt, valueOf } from './support/store.ts'
import type { StoreEvent } from '../src/index.ts'

/** Values in tables, in the log, and in a file of its own. */
async function filled(): Promise<{ dir: string; there: Map<string, number> }> {
  const dir = join(folder(), 'store')
  const there = new Map<string, number>()
  for (const part of ['table', 'log']) {
    const store = await storeAt(dir, { content: undefined })
    for (let i = 0; i < 40; i++) {
      const name = `a ${part} ${i}`
      await put(store, name, 50 + i * 20)
      there.set(name, 50 + i * 20)
    }
    await store.close()
  }
  return { dir, there }
}

const databaseFiles = (dir: string): string[] =>
  readdirSync(dir).filter((name) => /^(?:\d+\.(?:log|ldb)|MANIFEST-\d+|CURRENT)$/.test(name))

/** Opens a damaged folder: what it holds then, or the error. */
async function outcome(dir: string, there: ReadonlyMap<string, number>, durability: 'process' | 'power') {
  const events: StoreEvent[] = []
  try {
    const store = await storeAt(dir, { content: undefined, durability, report: (event) => void events.push(event) })
    try {
      return { ...(await compare(store, there)), events, error: undefined }
    } finally {
      await store.close()
    }
  } catch (error) {
    return { missing: [], extra: [], events, error }
  }
}

function copyOf(dir: string, change: (copy: string) => void): string {
  const copy = join(folder(), 'store')
  cpSync(dir, copy, { recursive: true })
  change(copy)
  return copy
}

describe('a damaged folder', () => {
  it('with any flipped bit is refused by name, or loses nothing', async () => {
    const { dir, there } = await filled()
    const random = seededRandom(4)
    let refused = 0
    for (const name of databaseFiles(dir)) {
      const { size } = statSync(join(dir, name))
      for (let i = 0; i < Math.min(60, size); i++) {
        const at = size <= 60 ? i : Math.floor(random() * size)
        const copy = copyOf(dir, (place) => {
          const bytes = readFileSync(join(place, name))
          bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
          writeFileSync(join(place, name), bytes)
        })
        const { missing, error } = await outcome(copy, there, 'power')
        if (error === undefined) expect(missing, `${name} at ${at}`).toEqual([])
        else {
          refused++
          expect(isP2plError(error, 'STORAGE'), `${name} at ${at}`).toBe(true)
          expect((error as Error).message).toContain(copy)
          expect((error as Error).message).toContain(remedy)
        }
      }
    }
    expect(refused).toBeGreaterThan(50)
  })

  it('with a file missing is refused by name, or mended', async () => {
    const { dir, there } = await filled()
    for (const name of databaseFiles(dir)) {
      const copy = copyOf(dir, (place) => rmSync(join(place, name)))
      const { missing, error, events } = await outcome(copy, there, 'process')
      if (name === 'CURRENT') {
        expect([missing, error]).toEqual([[], undefined])
        expect(events).toMatchObject([{ type: 'warning' }])
      } else {
        expect(error).toMatchObject({ code: 'STORAGE' })
        expect((error as Error).message).toContain(name.startsWith('MANIFEST') ? 'MANIFEST' : name)
      }
    }
  })

  it('with a table that is cut short is refused by name', async () => {
    const { dir, there } = await filled()
    const name = databaseFiles(dir).find((each) => each.endsWith('.ldb'))!
    const copy = copyOf(dir, (place) => truncateSync(join(place, name), 100))
    const { error } = await outcome(copy, there, 'process')
    expect((error as Error).message).toMatch(new RegExp(`${name}: it has 100 bytes instead of \\d+`))
  })

  it('with a log that is cut short, also between two records, holds what stands before and says that some is gone', async () => {
    const { dir, there } = await filled()
    const name = databaseFiles(dir).find((each) => each.endsWith('.log'))!
    const { size } = statSync(join(dir, name))
    const { records } = readLog(readFileSync(join(dir, name)))
    const between = [records.at(-1), records.at(-5)].map((record) => record?.start ?? 0)
    for (const length of [...between, size - 1, size - 300, size >> 1, 3, 0]) {
      const copy = copyOf(dir, (place) => truncateSync(join(place, name), length))
      const { missing, extra, error, events } = await outcome(copy, there, 'power')
      expect([extra, error]).toEqual([[], undefined])
      const said = `the last ${missing.length} acknowledged writes`
      expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining(said) as string }])
      // Once is enough.
      expect((await outcome(copy, new Map(), 'power')).events).toEqual([])
      // No hole: the lost ones are the last ones.
      const lost = Number(/\d+$/.exec(missing[0] ?? '40'))
      expect(missing).toEqual([...there.keys()].filter((key) => key.startsWith('a log')).slice(lost))
      expect(missing.length).toBeGreaterThan(0)
    }
  })

  it('with a hole in the log keeps what stands before it where a loss of power explains it, and says so', async () => {
    const { dir, there } = await filled()
    const name = databaseFiles(dir).find((each) => each.endsWith('.log'))!
    for (const fill of [0, 7]) {
      const copy = copyOf(dir, (place) => {
        const bytes = readFileSync(join(place, name))
        bytes.fill(fill, 2_048, 4_096)
        writeFileSync(join(place, name), bytes)
      })
      const process = await outcome(
        copyOf(copy, () => {}),
        there,
        'process'
      )
      expect(process.error).toBeUndefined()
      expect(process.missing.length).toBeGreaterThan(0)
      const last = [...there.keys()].filter((key) => key.startsWith('a log'))
      expect(process.missing).toEqual(last.slice(-process.missing.length))
      expect(process.events.map(({ type }) => type)).toEqual(fill === 0 ? ['warning'] : ['warning', 'warning'])
      const power = await outcome(copy, there, 'power')
      if (fill === 0) expect(power.missing).toEqual(process.missing)
      else expect(power.error).toMatchObject({ code: 'STORAGE' })
    }
  })

  it('whose damage is in content is opened, and the damaged values count as missing', async () => {
    const dir = join(folder(), 'store')
    const first = await storeAt(dir)
    for (const [name, size] of [
      ['b small', 200],
      ['b large', 400_000],
      ['a other', 200]
    ] as const)
      await put(first, name, size)
    await first.close()
    // A second start writes the log into a table.
    await (await storeAt(dir)).close()
    const small = Buffer.from(valueOf('b small', 200))
    for (const name of readdirSync(dir).filter((each) => each.endsWith('.ldb'))) {
      const bytes = readFileSync(join(dir, name))
      const at = bytes.indexOf(small.subarray(20))
      if (at < 0) continue
      bytes[at + 50] = (bytes[at + 50] ?? 0) ^ 4
      writeFileSync(join(dir, name), bytes)
    }
    const file = readdirSync(join(dir, 'values'), { recursive: true, encoding: 'utf8' }).find(
      (each) => each.length > 10
    )!
    const large = readFileSync(join(dir, 'values', file))
    large[200_000] = (large[200_000] ?? 0) ^ 1
    writeFileSync(join(dir, 'values', file), large)

    const store = await openAt(dir)
    // Without a proof it is handed out as it is.
    for (const [name, size] of [
      ['b small', 200],
      ['b large', 400_000]
    ] as const)
      expect((await store.get(keyOf(name)))?.length).toBe(size)
    for (const name of ['b small', 'b large']) {
      expect(await store.getSound(keyOf(name))).toBeUndefined()
      expect(await store.has(keyOf(name))).toBe(false)
      await put(store, name, 300_000)
      expect(await store.get(keyOf(name))).toEqual(valueOf(name, 300_000))
    }
    expect(await store.get(keyOf('a other'))).toEqual(valueOf('a other', 200))
  })

  it('of which a file of a large value is missing or cut counts it as missing', async () => {
    const dir = join(folder(), 'store')
    const store = await openAt(dir)
    for (const name of ['b gone', 'b cut']) await put(store, name, 300_000)
    const files = readdirSync(join(dir, 'values'), { recursive: true, encoding: 'utf8' }).filter(
      (each) => each.length > 10
    )
    rmSync(join(dir, 'values', files[0]!))
    truncateSync(join(dir, 'values', files[1]!), 1_000)
    for (const name of ['b gone', 'b cut']) {
      expect(await store.length(keyOf(name))).toBeUndefined()
      expect(await store.has(keyOf(name))).toBe(false)
    }
  })
})

describe('a folder of another format', () => {
  it('is refused with what wrote it and what to do', async () => {
    const dir = join(folder(), 'store')
    await (await storeAt(dir)).close()
    const other = storeAt(dir, { format: { name: 'test', version: 2 } })
    await expect(other).rejects.toThrow(`"${dir}" was written by "test 1", not by "test 2": ${remedy}`)
    await (await storeAt(dir)).close()
  })

  it.each([true, false])(
    'of plain LevelDB, compressed: %s, is refused as that of an earlier version',
    async (compression) => {
      const { Level } = await import('level')
      const dir = join(folder(), 'store')
      for (let round = 0; round < 2; round++) {
        const level = new Level<string, string>(dir)
        await level.open({ compression } as object)
        for (let i = 0; i < 100; i++) await level.put(`key ${i}`, 'value '.repeat(100))
        await level.close()
      }
      await expect(storeAt(dir, { content })).rejects.toThrow('was written by an earlier version')
    }
  )

  it('that LevelDB was making when the process ended is taken as new', async () => {
    for (const names of [['LOCK'], ['LOCK', 'LOG', 'MANIFEST-000001'], ['LOCK', 'MANIFEST-000001', '000001.dbtmp']]) {
      const dir = join(folder(), 'store')
      await (await storeAt(dir)).close()
      rmSync(dir, { recursive: true })
      const { mkdirSync } = await import('node:fs')
      mkdirSync(dir)
      for (const name of names) writeFileSync(join(dir, name), '')
      const store = await openAt(dir)
      await put(store, 'a', 10)
      expect(await store.get(keyOf('a'))).toEqual(valueOf('a', 10))
    }
  })
})
