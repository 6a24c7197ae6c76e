import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import { folder, keyOf, openAt, put, remove, storeAt, valueOf } from './support/store.ts'
import type { Disk } from '../src/disk.ts'
import { StoreErrors } from '../src/errors.ts'
import type { StoreEvent } from '../src/index.ts'
import { encodings, Session } from '../src/session.ts'

type Plan = 'before' | 'after' | 'ok'

/** A database whose writes fail as planned: before they are applied, or after. */
class FailingLevel extends MemoryLevel<Uint8Array, Uint8Array> {
  readonly plan: Plan[] = []
  failingOpens = 0
  batches = 0
  /** Writes wait for it. */
  held: Promise<void> = Promise.resolve()

  constructor() {
    super({ storeEncoding: 'view', keyEncoding: 'view', valueEncoding: 'view' })
  }

  override async open(options: object = {}): Promise<void> {
    if (this.failingOpens-- > 0) throw new Error('IO error: cannot open')
    await super.open(options)
  }

  override batch(...args: never[]): never {
    return this.#batch(args) as never
  }

  async #batch(args: never[]): Promise<void> {
    const next = this.plan.shift() ?? 'ok'
    await this.held
    if (next === 'before') throw new Error('IO error: the disk failed')
    this.batches++
    await (super.batch as (...given: never[]) => Promise<void>)(...args)
    if (next === 'after') throw new Error('IO error: the disk failed late')
  }
}

function failing(): { database: FailingLevel; plan: Plan[] } {
  const database = new FailingLevel()
  return { database, plan: database.plan }
}

function errorsOf(database: FailingLevel): StoreErrors {
  return new StoreErrors({
    location: database,
    format: { name: 'test', version: 1 },
    durability: 'process',
    remedy: 'make room',
    operations: { open: 'open', read: 'read', write: 'write' }
  })
}

describe('a write that fails', () => {
  it('once is tried again on the database as it was opened again', async () => {
    const { database, plan } = failing()
    const events: StoreEvent[] = []
    const store = await openAt(database, { report: (event) => void events.push(event) })
    plan.push('before')
    await put(store, 'a', 10)
    expect(await store.get(keyOf('a'))).toEqual(valueOf('a', 10))
    expect(events).toEqual([])
  })

  it('and is there all the same is acknowledged', async () => {
    const { database, plan } = failing()
    const store = await openAt(database)
    database.batches = 0
    plan.push('after')
    await put(store, 'a', 10)
    expect(database.batches).toBe(1)
    expect(await store.get(keyOf('a'))).toEqual(valueOf('a', 10))
  })

  it('again and again is refused, and takes no other write with it', async () => {
    const { database, plan } = failing()
    const events: StoreEvent[] = []
    const store = await openAt(database, { report: (event) => void events.push(event) })
    // They share a write that fails three times; then each has its own, of which the first fails.
    plan.push(...Array.from({ length: 6 }, (): Plan => 'before'))
    const settled = await Promise.allSettled(['a 1', 'a 2', 'a 3'].map((name) => put(store, name, 10)))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    for (const [i, name] of ['a 1', 'a 2', 'a 3'].entries())
      expect(await store.has(keyOf(name))).toBe(settled[i]?.status === 'fulfilled')
    expect(events.map(({ type }) => type)).toEqual(['degraded', 'recovered'])
  })

  it('leaves a store that can be neither read nor written until the database opens again', async () => {
    const { database, plan } = failing()
    const store = await openAt(database)
    await put(store, 'a', 10)
    plan.push('before')
    database.failingOpens = 2
    await expect(put(store, 'b', 10)).rejects.toMatchObject({ code: 'STORAGE', operation: 'write' })
    // Attempts to open it have a pause between them.
    await expect(store.get(keyOf('a'))).rejects.toMatchObject({ code: 'STORAGE', operation: 'read' })
    await expect
      .poll(
        () =>
          put(store, 'c', 10).then(
            () => 'ok',
            () => 'refused'
          ),
        { timeout: 90_000 }
      )
      .toBe('ok')
    expect(await store.get(keyOf('a'))).toEqual(valueOf('a', 10))
    expect(await store.has(keyOf('b'))).toBe(false)
  })

  it('on a disk that lost what it had confirmed ends in an error that says so', async () => {
    const { database, plan } = failing()
    const store = await openAt(database)
    await put(store, 'a', 10)
    await put(store, 'b', 10)
    const keys = await database.keys().all()
    const sequence = keys.find((key) => key[0] === 0 && key[1] === 1)!
    await database.put(sequence, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
    plan.splice(0, plan.length, 'before')
    await expect(put(store, 'c', 10)).rejects.toThrow('has lost acknowledged writes')
    await expect(put(store, 'd', 10)).rejects.toThrow('has lost acknowledged writes')
    await expect(store.get(keyOf('a'))).rejects.toThrow('has lost acknowledged writes')
  })
})

describe('reads while the database is opened again', () => {
  it('go on, and so do scans where they were', async () => {
    const { database, plan } = failing()
    const store = await openAt(database)
    const names = Array.from({ length: 500 }, (_, i) => `a ${String(i).padStart(3, '0')}`)
    await store.write(names.map((name) => ({ type: 'put', key: keyOf(name), value: valueOf(name, 10) })))
    for (const reverse of [false, true]) {
      const seen: string[] = []
      for await (const rows of store.scan({ gte: keyOf('a'), lt: keyOf('b'), reverse, limit: 450 })) {
        plan.push('before')
        const writing = put(store, 'c', 10)
        const gotten = store.get(keyOf('a 000'))
        await writing
        expect(await gotten).toEqual(valueOf('a 000', 10))
        seen.push(...rows.map(([key]) => new TextDecoder().decode(key)))
      }
      expect(seen).toEqual((reverse ? names.toReversed() : names).slice(0, 450))
    }
  })
})

it('calls after close reject with NOT_RUNNING', async () => {
  const store = await storeAt(folder())
  await put(store, 'a', 1)
  await store.close()
  await expect(store.get(keyOf('a'))).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  await expect(remove(store, 'a')).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  await store.close()
})

describe('a database that is closed while there is no room to open it again', () => {
  const closed = async () => {
    const { database } = failing()
    const disk = {
      room: true,
      makeRoom: async () => disk.room,
      checkLogs: async () => [],
      removeUnused: async () => {},
      forget: async () => {}
    }
    const errors = errorsOf(database)
    const session = new Session(database, disk as unknown as Disk, errors, {})
    await session.open()
    await session.write([{ type: 'put', key: keyOf('a'), value: valueOf('a', 10) }], false)
    await database.close()
    disk.room = false
    return { session, disk }
  }
  const read = async (session: Session): Promise<unknown> =>
    await session.use((open) => open.get<Uint8Array, Uint8Array>(keyOf('a'), encodings))

  it('is opened by the next read once there is room', async () => {
    const { session, disk } = await closed()
    await expect(read(session)).rejects.toMatchObject({ code: 'STORAGE' })
    disk.room = true
    expect(await read(session)).toBeDefined()
  })

  it('is opened by a read after a write that failed', async () => {
    const { session, disk } = await closed()
    await expect(session.write([{ type: 'del', key: keyOf('a') }], false)).rejects.toMatchObject({ code: 'STORAGE' })
    disk.room = true
    expect(await read(session)).toBeDefined()
  })
})

describe('a session that is closed while a write is under way', () => {
  it('does not open the database again: another store may want the folder', async () => {
    const { database, plan } = failing()
    const held = Promise.withResolvers<void>()
    const errors = errorsOf(database)
    const session = new Session(database, undefined, errors, {})
    await session.open()
    plan.push('before')
    database.held = held.promise
    const write = session.write([{ type: 'put', key: keyOf('a'), value: valueOf('a', 10) }], false)
    const refused = expect(write).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await session.close(true)
    held.resolve()
    await refused
    await expect(session.reopen()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    expect(database.status).toBe('closed')
  })
})
