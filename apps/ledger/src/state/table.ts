import { BoundedMap } from '@p2pl/core/backend'
import type { Operation, Store } from '@p2pl/store'
import { bytesOf, textOf } from './keys.ts'

export interface Codec<Row> {
  encode(row: Row): Uint8Array
  decode(bytes: Uint8Array): Row
}

/**
 * Rows by key, in a separate part of the store. A change is visible at once, and is written with the next batch of all
 * tables. Recently used rows are kept in memory. Rows are immutable: a new row replaces the old one.
 */
export class Table<Row> {
  readonly #store: Store
  readonly #name: string
  readonly #codec: Codec<Row>
  readonly #recent: BoundedMap<string, Row>
  /** `undefined` marks a removed row. */
  readonly #changed = new Map<string, Row | undefined>()

  /** `name`: one character, with which the keys of all its rows begin. */
  constructor(store: Store, name: string, codec: Codec<Row>, recent: number) {
    this.#store = store
    this.#name = name
    this.#codec = codec
    this.#recent = new BoundedMap(recent)
  }

  get changes(): number {
    return this.#changed.size
  }

  async get(key: string): Promise<Row | undefined> {
    if (this.#changed.has(key)) return this.#changed.get(key)
    const recent = this.#recent.touch(key)
    if (recent !== undefined) return recent
    const found = await this.#store.get(this.#stored(key))
    // It may have changed meanwhile.
    if (this.#changed.has(key)) return this.#changed.get(key)
    const row = this.#recent.get(key) ?? (found && this.#codec.decode(found))
    if (row !== undefined) this.#recent.set(key, row)
    return row
  }

  put(key: string, row: Row): void {
    this.#changed.set(key, row)
  }

  delete(key: string): void {
    this.#changed.set(key, undefined)
    this.#recent.delete(key)
  }

  /** Loads rows into memory that will be needed one by one. */
  async prefetch(keys: Iterable<string>): Promise<void> {
    const wanted = [...new Set(keys)].filter((key) => !this.#changed.has(key) && this.#recent.touch(key) === undefined)
    const found = await this.#store.getMany(wanted.map((key) => this.#stored(key)))
    for (const [i, key] of wanted.entries()) {
      const bytes = found[i]
      if (bytes !== undefined && !this.#changed.has(key)) this.#recent.set(key, this.#codec.decode(bytes))
    }
  }

  /** Rows from `from` to before `to`, in order or in reverse. */
  async *scan(range: { from: string; to: string; reverse?: boolean; limit?: number }): AsyncGenerator<[string, Row]> {
    const { from, to, reverse = false } = range
    let { limit = Infinity } = range
    const changed = [...this.#changed].filter(([key]) => key >= from && key < to)
    changed.sort(([a], [b]) => (a < b === reverse ? 1 : -1))
    let next = 0
    const gone = changed.filter(([, row]) => row === undefined).length
    const rows = this.#store.scan({
      gte: this.#stored(from),
      lt: this.#stored(to),
      reverse,
      ...(Number.isFinite(limit) ? { limit: limit + gone } : {})
    })
    for await (const batch of rows) {
      for (const [stored, bytes] of batch) {
        const key = textOf(stored).slice(1)
        for (
          let own = changed[next];
          own !== undefined && own[0] < key !== reverse && own[0] !== key;
          own = changed[++next]
        ) {
          if (own[1] !== undefined && limit-- > 0) yield own as [string, Row]
        }
        const own = changed[next]
        const row = own?.[0] === key ? own[1] : (this.#recent.get(key) ?? this.#codec.decode(bytes))
        if (own?.[0] === key) next++
        if (row !== undefined && limit-- > 0) yield [key, row]
      }
      if (limit <= 0) return
    }
    for (const [key, row] of changed.slice(next)) if (row !== undefined && limit-- > 0) yield [key, row]
  }

  /**
   * Adds the changes to a batch. Call the returned function when the batch is written; until then the changes stay
   * here.
   */
  flush(operations: Operation[]): () => void {
    const flushed = new Map(this.#changed)
    for (const [key, row] of flushed) {
      operations.push(
        row === undefined
          ? { type: 'del', key: this.#stored(key) }
          : { type: 'put', key: this.#stored(key), value: this.#codec.encode(row) }
      )
    }
    return () => {
      for (const [key, row] of flushed) {
        if (this.#changed.get(key) !== row) continue
        this.#changed.delete(key)
        if (row !== undefined) this.#recent.set(key, row)
      }
    }
  }

  /** Discards unwritten changes. */
  forget(): void {
    this.#changed.clear()
  }

  #stored(key: string): Uint8Array {
    return bytesOf(this.#name + key)
  }
}
