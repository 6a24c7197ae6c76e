import { P2plError } from '@p2pl/core'
import type { AbstractLevel } from 'abstract-level'
import type { Bytes } from '../bytes.ts'

/** An abstract-level database with binary keys and values. */
export type Database = AbstractLevel<string | Uint8Array, Uint8Array, Uint8Array>

export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const

export interface Range {
  readonly gt?: Uint8Array | undefined
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly lte?: Uint8Array | undefined
  readonly reverse?: boolean | undefined
  readonly limit?: number | undefined
}

/** The few calls of the database that are needed, with binary encodings whatever its defaults are, and typed errors. */
export class Tables {
  readonly #database: Database
  readonly #owned: boolean

  constructor(database: Database, owned: boolean) {
    this.#database = database
    this.#owned = owned
  }

  async get(key: Uint8Array): Promise<Bytes | undefined> {
    return (await guard('read', this.#database.get<Uint8Array, Uint8Array>(key, encodings))) as Bytes | undefined
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return []
    const found = this.#database.getMany<Uint8Array, Uint8Array>([...keys], encodings)
    return (await guard('read', found)) as (Bytes | undefined)[]
  }

  /** All or nothing. `sync`: resolves when it is on the disk, not only with the operating system. */
  async write(operations: Operation[], sync: boolean): Promise<void> {
    if (operations.length === 0) return
    // `sync` is an option of LevelDB; other databases have their own durability and ignore it.
    const options = { ...encodings, sync } as typeof encodings
    await guard('write', this.#database.batch<Uint8Array, Uint8Array>(operations as never, options))
  }

  /** The range as it is now, in batches. */
  async *scan(range: Range): AsyncGenerator<[Bytes, Bytes][], void, undefined> {
    const options = Object.fromEntries(Object.entries(range).filter(([, value]) => value !== undefined))
    const iterator = this.#database.iterator<Uint8Array, Uint8Array>({ ...options, ...encodings })
    try {
      // A few first: most reads here want the neighbour of a key and no more.
      for (let size = range.limit === undefined ? 64 : Math.min(range.limit, 256); ; size = 256) {
        const rows = (await guard('read', iterator.nextv(size))) as [Bytes, Bytes][]
        if (rows.length === 0) return
        yield rows
      }
    } finally {
      await iterator.close()
    }
  }

  /** The first row of the range. */
  async first(range: Range): Promise<[Bytes, Bytes] | undefined> {
    for await (const rows of this.scan({ ...range, limit: 1 })) return rows[0]
    return undefined
  }

  async close(): Promise<void> {
    if (this.#owned) await this.#database.close()
  }
}

async function guard<T>(what: 'read' | 'write', work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (codeOf(cause) === 'LEVEL_DATABASE_NOT_OPEN' || codeOf(cause) === 'LEVEL_ITERATOR_NOT_OPEN') {
      throw new P2plError({
        code: 'NOT_RUNNING',
        operation: `view.${what}`,
        cause,
        message: 'the store of the view was closed: open the view again'
      })
    }
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new P2plError({
      code: 'STORAGE',
      operation: `view.${what}`,
      cause,
      message: `the store of the view failed to ${what}: ${message}; check free space, quota and permissions`
    })
  }
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Opens a folder (Node) or IndexedDB database (browser); takes an opened database as it is. */
export async function openTables(store: string | Database): Promise<Tables> {
  if (typeof store !== 'string') {
    if (store.status === 'opening') await store.open()
    return new Tables(store, false)
  }
  const { Level } = await import('./level.ts')
  const database = new Level<Uint8Array, Uint8Array>(store, encodings)
  try {
    await database.open()
  } catch (cause) {
    const reason: unknown = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause
    const locked = codeOf(reason) === 'LEVEL_LOCKED'
    throw new P2plError({
      code: locked ? 'LOCKED' : 'STORAGE',
      operation: 'openView',
      cause,
      message: locked
        ? `another process has the store "${store}" open: stop it, or give this view a folder of its own`
        : `cannot open the store "${store}": ${reason instanceof Error ? reason.message : String(reason)}`
    })
  }
  return new Tables(database, true)
}
