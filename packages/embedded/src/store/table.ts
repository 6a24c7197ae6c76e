import { textOf } from '../bytes.ts'

/** A change of one key: a value, or `undefined` to remove it. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Bytes by bytes. All changes of one `write` are stored together or not at all. */
export interface Table {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  has(key: Uint8Array): Promise<boolean>
  write(changes: readonly Change[]): Promise<void>
  /** All keys that begin with `prefix` (default all), as they were at some time after the call. */
  keys(prefix?: Uint8Array): AsyncIterable<Uint8Array>
}

/** Gone with the process. */
export class MemoryTable implements Table {
  readonly #entries = new Map<string, { key: Uint8Array; value: Uint8Array }>()

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#entries.get(textOf(key))?.value)
  }

  has(key: Uint8Array): Promise<boolean> {
    return Promise.resolve(this.#entries.has(textOf(key)))
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value === undefined) this.#entries.delete(textOf(key))
      else this.#entries.set(textOf(key), { key, value })
    }
    return Promise.resolve()
  }

  async *keys(prefix: Uint8Array = new Uint8Array()): AsyncIterable<Uint8Array> {
    for (const { key } of Array.from(this.#entries.values())) if (prefix.every((byte, i) => key[i] === byte)) yield key
  }
}
