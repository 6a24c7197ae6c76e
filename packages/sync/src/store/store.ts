import { P2plError } from '@p2pl/core'
import { concatBytes, equalBytes, mapKey, readUint64, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { keyBytes, keyOf } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { formatVersion } from '../limits.ts'
import { moveTips } from './authors.ts'
import type { AuthorTips } from './authors.ts'
import type { Operation, Tables } from './database.ts'
import { countKey, dirtyKey, formatKey, tableEnd, tableKey, tableStart, withoutTable } from './keys.ts'

export interface Head {
  readonly digest: Bytes
  readonly clock: number
}

/**
 * The entries of a view, their clocks, the heads, and notes of what the index has not seen yet. One commit is one atomic batch,
 * so whatever the moment of a crash, the store holds a solid set and knows what of it is not in the index.
 */
export class Store {
  readonly tables: Tables
  readonly heads: Map<string, Head> = new Map()
  readonly authors: AuthorTips = new Map()
  /** Keys that wait to be indexed, by level. */
  readonly dirty: Map<number, Key[]> = new Map()
  /** The notes in the store that stand for {@link dirty}, by level. */
  readonly dirtyNotes: Map<number, Bytes[]> = new Map()
  #count = 0
  #sequence = 0

  private constructor(tables: Tables) {
    this.tables = tables
  }

  get count(): number {
    return this.#count
  }

  /** Reads what is needed to go on: the number of heads and of unindexed entries decides how long it takes, not the number of entries. */
  static async open(tables: Tables, topic: string): Promise<Store> {
    const store = new Store(tables)
    await store.#checkFormat(topic)
    const count = await tables.get(countKey)
    store.#count = count === undefined ? 0 : (readUint64(count, 0) ?? 0)
    for await (const rows of tables.scan({ gte: tableStart('head'), lt: tableEnd('head') })) {
      for (const [key, value] of rows) {
        const digest = withoutTable(key)
        store.heads.set(mapKey(digest), { digest, clock: readUint64(value, 0) ?? 0 })
      }
    }
    for await (const rows of tables.scan({ gte: tableStart('author'), lt: tableEnd('author') })) {
      for (const [key, value] of rows) {
        const author = withoutTable(key)
        const tip = { digest: value.slice(8), clock: readUint64(value, 0) ?? 0 }
        store.authors.set(mapKey(author), { author, tip })
      }
    }
    for await (const rows of tables.scan({ gte: tableStart('dirty'), lt: tableEnd('dirty') })) {
      for (const [key, value] of rows) {
        const keys: Key[] = []
        for (let at = 0; at + keyBytes <= value.length; at += keyBytes) keys.push(value.slice(at, at + keyBytes))
        store.#remember(key[1] as number, key.slice(), keys)
        store.#sequence = Math.max(store.#sequence, (readUint64(key, 2) ?? 0) + 1)
      }
    }
    return store
  }

  async #checkFormat(topic: string): Promise<void> {
    const expected = concatBytes(Uint8Array.of(formatVersion), new TextEncoder().encode(topic))
    const found = await this.tables.get(formatKey)
    if (found === undefined) {
      await this.tables.write([{ type: 'put', key: formatKey, value: expected }])
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
          : `the store was written in format ${found[0]}, this version reads ${formatVersion}: update @p2pl/sync or give an empty store`
    })
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

  /** Entries in canonical order, or against it, as they are now. */
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

  /** Writes solid entries, parents before children, and resolves when they are on the disk. */
  async commit(batch: readonly { readonly entry: EntryRecord; readonly local: boolean }[]): Promise<void> {
    const authors: AuthorTips = new Map(this.authors)
    const moved = new Set<string>()
    const operations: Operation[] = []
    const heads = new Map<string, Head | undefined>()
    const keys: Key[] = []
    for (const { entry, local } of batch) {
      for (const id of moveTips(authors, entry, local)) moved.add(id)
      const clock = new Uint8Array(8)
      writeUint64(clock, entry.clock, 0)
      operations.push(
        { type: 'put', key: tableKey('entry', entry.key), value: entry.bytes },
        { type: 'put', key: tableKey('clock', entry.digest), value: clock }
      )
      for (const id of entry.parentIds) heads.set(id, undefined)
      heads.set(entry.id, { digest: entry.digest, clock: entry.clock })
      keys.push(entry.key)
    }
    for (const [id, head] of heads) {
      if (head !== undefined) {
        const clock = new Uint8Array(8)
        writeUint64(clock, head.clock, 0)
        operations.push({ type: 'put', key: tableKey('head', head.digest), value: clock })
      } else {
        const old = this.heads.get(id)
        if (old !== undefined) operations.push({ type: 'del', key: tableKey('head', old.digest) })
      }
    }
    for (const id of moved) {
      const { author, tip } = authors.get(id) as { author: Bytes; tip: Head }
      const value = new Uint8Array(8 + tip.digest.length)
      writeUint64(value, tip.clock, 0)
      value.set(tip.digest, 8)
      operations.push({ type: 'put', key: tableKey('author', author), value })
    }
    const count = new Uint8Array(8)
    writeUint64(count, this.#count + batch.length, 0)
    operations.push({ type: 'put', key: countKey, value: count })
    const note = this.noteDirty(0, keys, operations)
    await this.tables.write(operations)
    this.#count += batch.length
    for (const [id, head] of heads) {
      if (head === undefined) this.heads.delete(id)
      else this.heads.set(id, head)
    }
    for (const id of moved) this.authors.set(id, authors.get(id) as { author: Bytes; tip: Head })
    this.#remember(0, note, keys)
  }

  /** Adds a note of unindexed keys to a batch; {@link remembered} once the batch is written. */
  noteDirty(level: number, keys: readonly Key[], operations: Operation[]): Bytes {
    const key = dirtyKey(level, this.#sequence++)
    operations.push({ type: 'put', key, value: concatBytes(...keys) })
    return key
  }

  remembered(level: number, note: Bytes, keys: readonly Key[]): void {
    this.#remember(level, note, keys)
  }

  #remember(level: number, note: Bytes, keys: readonly Key[]): void {
    const all = this.dirty.get(level) ?? []
    for (const key of keys) all.push(key)
    this.dirty.set(level, all)
    const notes = this.dirtyNotes.get(level) ?? []
    notes.push(note)
    this.dirtyNotes.set(level, notes)
  }

  headList(): Head[] {
    return [...this.heads.values()]
  }
}
