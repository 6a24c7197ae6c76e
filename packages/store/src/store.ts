import { isP2plError } from '@p2pl/core/backend'
import type { Disk } from './disk.ts'
import { DamageError, isDamage, type StoreErrors } from './errors.ts'
import { iterate, type Bounds, type Cursor } from './iterate.ts'
import { Reclaimer } from './reclaim.ts'
import { own, type Records } from './record.ts'
import { encodings, type Session } from './session.ts'
import type { Bytes, Database, Operation, Range, StoreEvent, WriteOptions } from './types.ts'
import { WriteQueue, type Write } from './write-queue.ts'

interface StoreParts {
  readonly session: Session
  readonly disk: Disk | undefined
  readonly records: Records
  readonly errors: StoreErrors
  readonly sync: boolean
  readonly report: (event: StoreEvent) => void
  readonly close: () => Promise<void>
}

/**
 * Bytes by bytes. What `write` has acknowledged is there for good; what it has rejected is not there. After a failed write the
 * store opens its database again and goes on, or refuses writes with `STORAGE` until it can.
 */
export class Store {
  readonly #parts: StoreParts
  readonly #queue: WriteQueue
  readonly #reclaimer: Reclaimer
  #degraded = false

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#queue = new WriteQueue((writes) => this.#commit(writes))
    const reserve = parts.disk?.reserve
    this.#reclaimer = new Reclaimer(parts.session, {
      before: async (bytes) => {
        if (reserve !== undefined && (await reserve.free()) < bytes) await reserve.release()
      },
      after: async () => void (await reserve?.fill())
    })
  }

  /** Rejects with `STORAGE` when what is stored is not what was written. */
  async get(key: Uint8Array): Promise<Bytes | undefined> {
    const stored = await this.#stored(key)
    return stored === undefined ? undefined : this.#decode(key, stored)
  }

  /** The same for values that others have as well: one that is damaged is removed, and counts as missing. */
  async getSound(key: Uint8Array): Promise<Bytes | undefined> {
    try {
      return await this.get(key)
    } catch (error) {
      if (!isDamage(error instanceof Error ? error.cause : error)) throw error
      await this.write([{ type: 'del', key }])
      return undefined
    }
  }

  /** How many bytes the value has; `undefined` when it is missing or damaged. */
  async length(key: Uint8Array): Promise<number | undefined> {
    return (await this.getSound(key))?.byteLength
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return []
    const all = await this.#parts.session.use((database) =>
      database.getMany<Uint8Array, Uint8Array>([...keys], encodings)
    )
    return all.map((stored, i) => (stored === undefined ? undefined : this.#decode(keys[i] as Uint8Array, stored)))
  }

  async has(key: Uint8Array): Promise<boolean> {
    return await this.#parts.session.use((database) => database.has<Uint8Array>(key, encodings))
  }

  /** The rows of the range as it is now, in batches; as it is later where the database is opened again meanwhile. */
  async *scan(range: Range): AsyncGenerator<[Bytes, Bytes][], void, undefined> {
    const open = (database: Database, rest: Bounds): Cursor<[Uint8Array, Uint8Array]> =>
      database.iterator<Uint8Array, Uint8Array>({ ...rest, ...encodings })
    for await (const rows of iterate(this.#parts.session, range, open, ([key]) => key))
      yield rows.map(([key, stored]) => [own(key), this.#decode(key, stored)])
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
   * All or nothing, in the order of the calls. Resolves when the write is as durable as the store promises. Rejects with
   * `STORAGE` when it is not there and never will be.
   */
  async write(operations: readonly Operation[], options: WriteOptions = {}): Promise<void> {
    if (operations.length === 0) return
    const { records, sync } = this.#parts
    let bytes = 0
    let removals = 0
    const encoded = operations.map((operation): Operation => {
      bytes += operation.key.length
      if (operation.type === 'del') {
        removals++
        return operation
      }
      const value = records.encode(operation.key, operation.value)
      bytes += value.length
      return { type: 'put', key: operation.key, value }
    })
    const freeing = options.freeing ?? removals === operations.length
    await this.#queue.add({ operations: encoded, bytes, sync: options.sync ?? sync, freeing })
  }

  /** Bytes on the disk between two keys, roughly; 0 where the database cannot tell. */
  async size(from: Uint8Array, to: Uint8Array): Promise<number> {
    return await this.#reclaimer.size(from, to)
  }

  /** Says that about this many bytes were removed between two keys: their space is given back soon, in the background. */
  reclaim(from: Uint8Array, to: Uint8Array, bytes: number): void {
    this.#reclaimer.removed(from, to, bytes)
  }

  /** Resolves when nothing is in the background any more. */
  async idle(): Promise<void> {
    await this.#queue.idle()
    await this.#reclaimer.idle()
  }

  async close(): Promise<void> {
    await this.#reclaimer.stop()
    await this.#queue.idle()
    await this.#parts.close()
  }

  async #stored(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#parts.session.use((database) => database.get<Uint8Array, Uint8Array>(key, encodings))
  }

  #decode(key: Uint8Array, stored: Uint8Array): Bytes {
    const value = this.#parts.records.decode(key, stored)
    if (value !== undefined) return value
    throw this.#parts.errors.damaged('read', new DamageError('a value does not match its checksum'))
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const { session, errors } = this.#parts
    const operations = writes.flatMap((write) => write.operations)
    const sync = writes.some((write) => write.sync)
    try {
      for (let tries = 1; ; tries++) {
        await session.writable()
        await this.#room(writes)
        const cause = await session.write(operations, sync)
        if (cause === undefined) break
        if (tries === 2) throw errors.failed('write', cause)
      }
    } catch (error) {
      if (isP2plError(error, 'STORAGE') && !this.#degraded) {
        this.#degraded = true
        this.#parts.report({ type: 'degraded', error })
      }
      throw error
    }
    if (this.#degraded && this.#parts.disk?.reserve.whole !== false) {
      this.#degraded = false
      this.#parts.report({ type: 'recovered' })
    }
  }

  /** Puts need the reserve whole, or half of it free: what is left is for removals, and for opening the database again. */
  async #room(writes: readonly Write[]): Promise<void> {
    const { disk, errors } = this.#parts
    if (disk === undefined) return
    const { reserve } = disk
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0)
    reserve.expect(bytes)
    if (reserve.whole || writes.every(({ freeing }) => freeing) || (await reserve.fill(bytes))) return
    const needed = 2 * bytes + reserve.wanted / 2
    if ((await reserve.free()) < needed) throw errors.full(reserve.wanted + needed)
  }
}
