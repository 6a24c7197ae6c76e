import { BaseDatastore } from 'datastore-core/base'
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { isP2plError } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Stores what the engine remembers about others in a table of the same store: one database, one lock, one log. What
 * cannot be written to a failing disk is forgotten at the next start. The store reports the failure; the network
 * continues and can be stopped.
 */
export class TableDatastore extends BaseDatastore {
  readonly #table: Table

  constructor(table: Table) {
    super()
    this.#table = table
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    await this.#write(key, value)
    return key
  }

  override async get(key: Key): Promise<Uint8Array> {
    const value = await this.#table.get(encoder.encode(key.toString()))
    // The engine recognises the error by this name.
    if (value === undefined) throw Object.assign(new Error(`no value for ${key.toString()}`), { name: 'NotFoundError' })
    return value
  }

  override has(key: Key): Promise<boolean> {
    return this.#table.has(encoder.encode(key.toString()))
  }

  override async delete(key: Key): Promise<void> {
    await this.#write(key, undefined)
  }

  override async *_all({ prefix }: Query): AsyncGenerator<Pair> {
    for await (const key of this.#keys(prefix)) {
      const value = await this.#table.get(key)
      if (value !== undefined) yield { key: new Key(decoder.decode(key), false), value }
    }
  }

  override async *_allKeys({ prefix }: KeyQuery): AsyncGenerator<Key> {
    for await (const key of this.#keys(prefix)) yield new Key(decoder.decode(key), false)
  }

  async #write(key: Key, value: Uint8Array | undefined): Promise<void> {
    try {
      await this.#table.write([{ key: encoder.encode(key.toString()), value }])
    } catch (error) {
      if (!isP2plError(error, 'STORAGE')) throw error
    }
  }

  #keys(prefix: string | undefined): AsyncIterable<Uint8Array> {
    return this.#table.keys(prefix === undefined ? undefined : encoder.encode(prefix))
  }
}
