import { P2plError } from '@p2pl/core'
import { concatBytes, equalBytes, mapKey, readUint64, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { keyBytes, keyOf, packKeys } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { formatVersion } from '../limits.ts'
import { moveTips } from './authors.ts'
import type { AuthorTips } from './authors.ts'
import type { Operation, Tables } from './database.ts'
import { arrivalsOf, encodeArrivals } from './arrivals.ts'
import type { Arrival } from './arrivals.ts'
import { headChange } from './heads.ts'
import type { Head, HeadChange } from './heads.ts'
import { RecentEntries } from './recent.ts'
import { arrivalKey, countKey, dirtyKey, formatKey, tableEnd, tableKey, tableStart, withoutTable } from './keys.ts'

/** An entry that is written. `live`: it was made here or announced by its author; otherwise it was missed before. */
export interface Committed {
  readonly entry: EntryRecord
  readonly local: boolean
  readonly live?: boolean | undefined
}

/**
 * The entries of a view, their clocks, the heads, and notes of the entries that the index lacks. One commit is one
 * atomic batch. So after a crash at any moment the store holds a solid set, and knows which part of it is not in the
 * index.
 */
export class Store {
  readonly tables: Tables
  /** Identifies this store's order of writing: another store of the same view has a different id. */
  readonly id: string
  readonly heads: Map<string, Head> = new Map()
  readonly authors: AuthorTips = new Map()
  /**
   * Keys that wait to be indexed, by level. Many are packed into one array, because a view that catches up has hundreds
   * of thousands.
   */
  readonly dirty: Map<number, Bytes[]> = new Map()
  /** The keys of the notes in the store that stand for {@link dirty}, by level. */
  readonly dirtyNotes: Map<number, Bytes[]> = new Map()
  readonly recent: RecentEntries = new RecentEntries()
  #count = 0
  #sequence = 0
  #arrived = 0

  private constructor(tables: Tables, id: string) {
    this.tables = tables
    this.id = id
  }

  get count(): number {
    return this.#count
  }

  /** The place of the last written entry in the order of writing. */
  get arrived(): number {
    return this.#arrived
  }

  /**
   * Reads what is needed to continue. The time depends on the number of heads and unindexed entries, not on the number
   * of entries.
   */
  static async open(tables: Tables, topic: string): Promise<Store> {
    await checkFormat(tables, topic)
    const store = new Store(tables, await idOf(tables))
    const count = await tables.get(countKey)
    store.#count = count === undefined ? 0 : (readUint64(count, 0) ?? 0)
    const last = await tables.first({ gte: arrivalKey(1), lt: tableEnd('arrival'), reverse: true })
    store.#arrived = last === undefined ? 0 : (readUint64(last[0], 1) ?? 0)
    for await (const rows of tables.scan({ gte: tableStart('head'), lt: tableEnd('head') })) {
      for (const [key, value] of rows) {
        const digest = withoutTable(key)
        const id = mapKey(digest)
        store.heads.set(id, { id, digest, clock: readUint64(value, 0) ?? 0 })
      }
    }
    for await (const rows of tables.scan({ gte: tableStart('author'), lt: tableEnd('author') })) {
      for (const [key, value] of rows) {
        const author = withoutTable(key)
        const digest = value.slice(8)
        const tip = { id: mapKey(digest), digest, clock: readUint64(value, 0) ?? 0 }
        store.authors.set(mapKey(author), { author, tip })
      }
    }
    for await (const rows of tables.scan({ gte: tableStart('dirty'), lt: tableEnd('dirty') })) {
      for (const [key, value] of rows) {
        store.remembered(key[1] as number, key.slice(), value)
        store.#sequence = Math.max(store.#sequence, (readUint64(key, 2) ?? 0) + 1)
      }
    }
    return store
  }

  async clockOf(digest: Uint8Array): Promise<number | undefined> {
    const value = await this.tables.get(tableKey('clock', digest))
    return value === undefined ? undefined : readUint64(value, 0)
  }

  async clocksOf(digests: readonly Uint8Array[]): Promise<(number | undefined)[]> {
    const values = await this.tables.getMany(digests.map((digest) => tableKey('clock', digest)))
    return values.map((value) => (value === undefined ? undefined : readUint64(value, 0)))
  }

  async entry(digest: Uint8Array): Promise<Bytes | undefined> {
    const clock = await this.clockOf(digest)
    return clock === undefined ? undefined : await this.tables.get(tableKey('entry', keyOf(clock, digest)))
  }

  /** The entries under these keys. */
  async entriesAt(keys: readonly Key[]): Promise<(Bytes | undefined)[]> {
    return await this.tables.getMany(keys.map((key) => tableKey('entry', key)))
  }

  /** Current entries in canonical order, or in reverse. */
  async *entries(range: {
    after?: Key | undefined
    through?: Key | undefined
    before?: Key | undefined
    reverse?: boolean | undefined
    limit?: number | undefined
  }): AsyncGenerator<[Key, Bytes][], void, undefined> {
    const { after, through, before, reverse = false, limit } = range
    const begin = after === undefined ? { gte: tableStart('entry') } : { gt: tableKey('entry', after) }
    const last = before === undefined ? { lt: tableEnd('entry') } : { lt: tableKey('entry', before) }
    const end = through === undefined ? last : { lte: tableKey('entry', through) }
    for await (const rows of this.tables.scan({
      ...begin,
      ...end,
      reverse,
      ...(limit === undefined ? {} : { limit })
    })) {
      for (const row of rows) row[0] = withoutTable(row[0])
      yield rows
    }
  }

  /** Up to `limit` entries that were written after the place, in the order of writing. */
  async arrivals(after: number, limit: number): Promise<Arrival[]> {
    const range = { gt: arrivalKey(after), lt: tableEnd('arrival'), limit }
    const arrivals: Arrival[] = []
    for await (const rows of this.tables.scan(range)) {
      for (const [row, value] of rows) {
        arrivals.push(...arrivalsOf(readUint64(row, 1) as number, value, after))
        if (arrivals.length >= limit) return arrivals.slice(0, limit)
      }
    }
    return arrivals
  }

  /** Writes solid entries, parents before children. Resolves when they are on disk. */
  async commit(batch: readonly Committed[]): Promise<HeadChange> {
    const authors: AuthorTips = new Map(this.authors)
    const moved = new Set<string>()
    const operations: Operation[] = []
    for (const { entry, local } of batch) {
      for (const id of moveTips(authors, entry, local)) moved.add(id)
      operations.push(
        { type: 'put', key: tableKey('entry', entry.key), value: entry.bytes },
        { type: 'put', key: tableKey('clock', entry.digest), value: encodeUint64(entry.clock) }
      )
    }
    encodeArrivals(this.#arrived, batch, operations)
    const change = headChange(batch)
    for (const id of change.approved) {
      const old = this.heads.get(id)
      if (old !== undefined) operations.push({ type: 'del', key: tableKey('head', old.digest) })
    }
    for (const { digest, clock } of change.heads) {
      operations.push({ type: 'put', key: tableKey('head', digest), value: encodeUint64(clock) })
    }
    for (const id of moved) {
      const { author, tip } = authors.get(id) as { author: Bytes; tip: Head }
      const value = new Uint8Array(8 + tip.digest.length)
      writeUint64(value, tip.clock, 0)
      value.set(tip.digest, 8)
      operations.push({ type: 'put', key: tableKey('author', author), value })
    }
    operations.push({ type: 'put', key: countKey, value: encodeUint64(this.#count + batch.length) })
    const keys = packKeys(batch.map(({ entry }) => entry.key))
    const note = this.noteDirty(0, keys, operations)
    await this.tables.write(operations)
    this.#count += batch.length
    this.recent.add(this.#arrived, batch)
    this.#arrived += batch.length
    for (const id of change.approved) this.heads.delete(id)
    for (const head of change.heads) this.heads.set(head.id, head)
    for (const id of moved) this.authors.set(id, authors.get(id) as { author: Bytes; tip: Head })
    this.remembered(0, note, keys)
    return change
  }

  /** The number of keys that are not in the index yet. */
  get unindexed(): number {
    return (this.dirty.get(0) ?? []).reduce((sum, { length }) => sum + length / keyBytes, 0)
  }

  /** Adds a note of unindexed keys to a batch. Call {@link remembered} once the batch is written. */
  noteDirty(level: number, keys: Bytes, operations: Operation[]): Bytes {
    const key = dirtyKey(level, this.#sequence++)
    operations.push({ type: 'put', key, value: keys })
    return key
  }

  remembered(level: number, note: Bytes, keys: Bytes): void {
    const all = this.dirty.get(level) ?? []
    all.push(keys)
    this.dirty.set(level, all)
    const notes = this.dirtyNotes.get(level) ?? []
    notes.push(note)
    this.dirtyNotes.set(level, notes)
  }
}

function encodeUint64(value: number): Bytes {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, value, 0)
  return bytes
}

async function checkFormat(tables: Tables, topic: string): Promise<void> {
  const expected = concatBytes(Uint8Array.of(formatVersion), new TextEncoder().encode(topic))
  const found = await tables.get(formatKey)
  if (found === undefined) {
    await tables.write([{ type: 'put', key: formatKey, value: expected }])
    return
  }
  if (equalBytes(found, expected)) return
  const other = new TextDecoder().decode(found.subarray(1))
  throw new P2plError({
    code: 'INVALID_ARGUMENT',
    operation: 'openView',
    message:
      found[0] === formatVersion
        ? `the store belongs to the topic "${other}", not to "${topic}": give each view a store of its own`
        : `the store was written in format ${found[0]}, this version reads ${formatVersion}: ${
            (found[0] ?? 0) > formatVersion
              ? 'update @p2pl/sync'
              : 'move it away and open the view again, and the other peers fill it'
          }`
  })
}

async function idOf(tables: Tables): Promise<string> {
  // No entry has this place.
  const key = arrivalKey(0)
  let id = await tables.get(key)
  if (id === undefined) {
    id = crypto.getRandomValues(new Uint8Array(8))
    await tables.write([{ type: 'put', key, value: id }])
  }
  return Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
