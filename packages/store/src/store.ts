import type { Disk } from './disk.ts'
import { isDamage, type StoreErrors } from './errors.ts'
import { iterate, type Bounds, type Cursor } from './iterate.ts'
import { Reclaimer } from './reclaim.ts'
import { own } from './record.ts'
import { encodings, type Session } from './session.ts'
import type { Bytes, Database, Operation, Range, StoreEvent, WriteOptions } from './types.ts'
import type { Values } from './values.ts'
import { Writer } from './writer.ts'

/** The share of the reserve that a write must leave, for writes that make room and for opening the database. */
const leftBy = { none: 1, most: 1 / 4, all: 0 } as const

interface StoreParts {
  readonly session: Session
  readonly disk: Disk | undefined
  readonly values: Values
  readonly errors: StoreErrors
  /** Whether each write waits for the disk. */
  readonly sync: boolean
  readonly report: (event: StoreEvent) => void
  readonly close: () => Promise<void>
}

/**
 * A durable map from bytes to bytes. An acknowledged write stays; a rejected write is not in the store. After a failed
 * write the store opens its database again and continues, or refuses writes with `STORAGE` until it can.
 */
export class Store {
  readonly #parts: StoreParts
  readonly #writer: Writer
  readonly #reclaimer: Reclaimer

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#reclaimer = new Reclaimer(parts.session, parts.disk?.reserve)
    this.#writer = new Writer({ ...parts, reclaimer: this.#reclaimer })
  }

  /** Rejects with `STORAGE` when the value is damaged. Content is returned as it is stored: its owner verifies it. */
  async get(key: Uint8Array): Promise<Bytes | undefined> {
    const stored = await this.#stored(key)
    return stored === undefined ? undefined : await this.#parts.values.read(key, stored)
  }

  /** Reads and verifies a value that can be had elsewhere. A damaged value is removed and counts as missing. */
  async getSound(key: Uint8Array): Promise<Bytes | undefined> {
    return await this.#unlessDamaged(key, async () => {
      const stored = await this.#stored(key)
      return stored === undefined ? undefined : await this.#parts.values.readSound(key, stored)
    })
  }

  /** The length of the value in bytes; `undefined` when it is missing, or is seen to be damaged without reading a file. */
  async length(key: Uint8Array): Promise<number | undefined> {
    return await this.#unlessDamaged(key, async () => {
      const stored = await this.#stored(key)
      return stored === undefined ? undefined : await this.#parts.values.length(key, stored)
    })
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return []
    const all = await this.#parts.session.use((database) =>
      database.getMany<Uint8Array, Uint8Array>([...keys], encodings)
    )
    const values: (Bytes | undefined)[] = []
    for (const [i, stored] of all.entries()) {
      const value = stored && this.#parts.values.read(keys[i] as Uint8Array, stored)
      values.push(value instanceof Promise ? await value : value)
    }
    return values
  }

  async has(key: Uint8Array): Promise<boolean> {
    return await this.#parts.session.use((database) => database.has<Uint8Array>(key, { keyEncoding: 'view' }))
  }

  /**
   * The current rows of the range, in batches. If the database is opened again meanwhile, the remaining rows are those
   * of that time.
   */
  async *scan(range: Range): AsyncGenerator<[Bytes, Bytes][], void, undefined> {
    const open = (database: Database, rest: Bounds): Cursor<[Uint8Array, Uint8Array]> =>
      database.iterator<Uint8Array, Uint8Array>({ ...rest, ...encodings })
    for await (const rows of iterate(this.#parts.session, range, open, ([key]) => key)) {
      const decoded: [Bytes, Bytes][] = []
      for (const [key, stored] of rows) {
        const value = this.#parts.values.read(key, stored)
        decoded.push([own(key), value instanceof Promise ? await value : value])
      }
      yield decoded
    }
  }

  /** The keys of the range, in the same way. */
  async *keys(range: Range): AsyncGenerator<Bytes[], void, undefined> {
    const open = (database: Database, rest: Bounds): Cursor<Uint8Array> =>
      database.keys<Uint8Array>({ ...rest, keyEncoding: 'view' })
    for await (const keys of iterate(this.#parts.session, range, open, (key) => key)) yield keys.map(own)
  }

  /** The first row of the range. */
  async first(range: Range): Promise<[Bytes, Bytes] | undefined> {
    for await (const [row] of this.scan({ ...range, limit: 1 })) return row
    return undefined
  }

  /**
   * Applies all operations or none, in the order of the calls; concurrent calls share one write. Resolves when the
   * write is as durable as the store promises. Rejects with `STORAGE` when the write is not in the store and never will
   * be.
   */
  async write(operations: readonly Operation[], options: WriteOptions = {}): Promise<void> {
    if (operations.length === 0) return
    const encoded = this.#parts.values.encode(operations)
    const leaves = leftBy[encoded.removes ? 'all' : (options.reserve ?? 'none')]
    await this.#writer.write(encoded, options.sync ?? this.#parts.sync, leaves)
  }

  /** The approximate number of bytes on disk between two keys; 0 where the database cannot tell. */
  async size(from: Uint8Array, to: Uint8Array): Promise<number> {
    return await this.#reclaimer.size(from, to)
  }

  /** Notes that about this many bytes were removed between two keys. Their space is given back soon, in the background. */
  reclaim(from: Uint8Array, to: Uint8Array, bytes: number): void {
    this.#reclaimer.removed(from, to, bytes)
  }

  /** Deletes files left over by a process that ended in the middle of a write. */
  async sweep(): Promise<void> {
    await this.#parts.values.files?.sweep((key) => this.has(key))
  }

  /** Resolves when nothing runs in the background. */
  async idle(): Promise<void> {
    await this.#writer.idle()
    await this.#reclaimer.idle()
    await this.#parts.disk?.idle()
  }

  async close(): Promise<void> {
    await this.#reclaimer.stop()
    await this.#writer.idle()
    await this.#parts.close()
  }

  async #stored(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#parts.session.use((database) => database.get<Uint8Array, Uint8Array>(key, encodings))
  }

  async #unlessDamaged<T>(key: Uint8Array, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!isDamage(error)) throw error
      await this.write([{ type: 'del', key }])
      return undefined
    }
  }
}
