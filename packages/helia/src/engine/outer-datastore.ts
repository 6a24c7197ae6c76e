import { BaseDatastore } from 'datastore-core/base'
import type { Datastore, Key, KeyQuery, Pair, Query } from 'interface-datastore'

/** A datastore around another one. Calls that a subclass does not override go to the inner datastore. */
export abstract class OuterDatastore extends BaseDatastore {
  protected readonly inner: Datastore

  constructor(inner: Datastore) {
    super()
    this.inner = inner
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    return await this.inner.put(key, value)
  }

  override async get(key: Key): Promise<Uint8Array> {
    return await this.inner.get(key)
  }

  override async has(key: Key): Promise<boolean> {
    return await this.inner.has(key)
  }

  override async delete(key: Key): Promise<void> {
    await this.inner.delete(key)
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    yield* this.inner.query(query)
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    yield* this.inner.queryKeys(query)
  }
}
