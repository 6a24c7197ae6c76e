import { bytesKey } from '@p2pl/core/backend'
import type { Store, WriteOptions } from '@p2pl/store'
import { SortedKeys } from './sorted-keys.ts'

/** A change of one key: a value, or `undefined` to remove it. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** A map from bytes to bytes. */
export interface Table {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Like `get`, for values that can be had elsewhere: a damaged value is removed and counts as missing. */
  getSound(key: Uint8Array): Promise<Uint8Array | undefined>
  has(key: Uint8Array): Promise<boolean>
  /**
   * The length of the value in bytes; `undefined` when it is missing, or is seen to be damaged without reading a large
   * value.
   */
  length(key: Uint8Array): Promise<number | undefined>
  /** Applies all changes or none. `frees`: the write makes room later, so it succeeds even on a full disk. */
  write(changes: readonly Change[], options?: { readonly frees: boolean }): Promise<void>
  /** All keys that begin with `prefix` (default all), as they were at some time after the call. */
  keys(prefix?: Uint8Array): AsyncIterable<Uint8Array>
  /** The approximate number of bytes on disk between two keys. */
  size(from: Uint8Array, to: Uint8Array): Promise<number>
  /** Notes that about this many bytes were removed between the keys. Their space is given back soon, in the background. */
  reclaim(from: Uint8Array, to: Uint8Array, bytes: number): void
  /** Removes files left over by a process that ended in the middle of a write. */
  sweep(): Promise<void>
}

/** A table whose content is gone with the process. */
export class MemoryTable implements Table {
  readonly #entries = new Map<string, { key: Uint8Array; value: Uint8Array }>()
  readonly #keys = new SortedKeys()

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#entries.get(bytesKey(key))?.value
  }

  async getSound(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#entries.get(bytesKey(key))?.value
  }

  async has(key: Uint8Array): Promise<boolean> {
    return this.#entries.has(bytesKey(key))
  }

  async length(key: Uint8Array): Promise<number | undefined> {
    return this.#entries.get(bytesKey(key))?.value.byteLength
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      const text = bytesKey(key)
      if (value !== undefined) {
        if (!this.#entries.has(text)) this.#keys.add(text)
        this.#entries.set(text, { key, value })
      } else if (this.#entries.delete(text)) this.#keys.delete(text)
    }
  }

  async *keys(prefix: Uint8Array = new Uint8Array()): AsyncIterable<Uint8Array> {
    for (const text of this.#keys.withPrefix(bytesKey(prefix))) {
      const key = this.#entries.get(text)?.key
      if (key !== undefined) yield key
    }
  }

  async size(): Promise<number> {
    return 0
  }

  reclaim(): void {}

  async sweep(): Promise<void> {}
}

/** The keys of a store that begin with one byte. */
export class StoreTable implements Table {
  readonly #store: Store
  readonly #letter: number
  readonly #reserve: WriteOptions['reserve']

  /** `reserve`: how much of the reserve for a full disk its writes may use. */
  constructor(store: Store, letter: number, reserve: WriteOptions['reserve']) {
    this.#store = store
    this.#letter = letter
    this.#reserve = reserve
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#store.get(this.#prefixed(key))
  }

  async getSound(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#store.getSound(this.#prefixed(key))
  }

  async has(key: Uint8Array): Promise<boolean> {
    return await this.#store.has(this.#prefixed(key))
  }

  async length(key: Uint8Array): Promise<number | undefined> {
    return await this.#store.length(this.#prefixed(key))
  }

  async write(changes: readonly Change[], options?: { readonly frees: boolean }): Promise<void> {
    const operations = changes.map(({ key, value }) =>
      value === undefined
        ? { type: 'del' as const, key: this.#prefixed(key) }
        : { type: 'put' as const, key: this.#prefixed(key), value }
    )
    await this.#store.write(operations, options?.frees === true ? { reserve: 'all' } : { reserve: this.#reserve })
  }

  async *keys(prefix: Uint8Array = new Uint8Array()): AsyncIterable<Uint8Array> {
    const gte = this.#prefixed(prefix)
    for await (const keys of this.#store.keys({ gte, lt: behind(gte) })) for (const key of keys) yield key.slice(1)
  }

  async size(from: Uint8Array, to: Uint8Array): Promise<number> {
    return await this.#store.size(this.#prefixed(from), this.#prefixed(to))
  }

  reclaim(from: Uint8Array, to: Uint8Array, bytes: number): void {
    this.#store.reclaim(this.#prefixed(from), this.#prefixed(to), bytes)
  }

  async sweep(): Promise<void> {
    await this.#store.sweep()
  }

  #prefixed(key: Uint8Array): Uint8Array {
    const prefixed = new Uint8Array(key.length + 1)
    prefixed[0] = this.#letter
    prefixed.set(key, 1)
    return prefixed
  }
}

/** The least key after all keys that begin with these bytes. The first byte is a letter, and so not 0xff. */
function behind(prefix: Uint8Array): Uint8Array {
  let length = prefix.length
  while (prefix[length - 1] === 0xff) length--
  const next = prefix.slice(0, length)
  next[length - 1] = (next[length - 1] ?? 0) + 1
  return next
}
