import { openPlace } from '#runtime/place'
import type { Datastore } from 'interface-datastore'
import { failure } from './errors.ts'
import { PlaceLockedError, type Place } from './runtime/place.ts'
import type { Settings } from './options.ts'

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
  /** All keys that begin with `prefix` (text; default all), as they were at some time after the call. */
  keys(prefix?: Uint8Array): AsyncIterable<Uint8Array>
}

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  /** Pins by multihash. */
  readonly pins: Table
  /** What the node remembers of itself: its private key, what it provides. */
  readonly state: Table
  /** What the engine remembers: peers, DHT records. */
  readonly data: Datastore
  close(): Promise<void>
}

export async function openStores(settings: Settings): Promise<Stores> {
  return settings.dir === undefined
    ? await openMemory()
    : await openFolder(settings.dir, settings.durability === 'power')
}

async function openMemory(): Promise<Stores> {
  const { MemoryDatastore } = await import('datastore-core/memory')
  return {
    blocks: new MemoryTable(),
    pins: new MemoryTable(),
    state: new MemoryTable(),
    data: new MemoryDatastore(),
    close: async () => {}
  }
}

/**
 * One LevelDB for all: a single lock, and a single log to sync. LevelDB hands every write to the operating system before
 * it confirms it, so that what was confirmed survives the end of the process; with `sync` it survives loss of power, too.
 */
async function openFolder(dir: string, sync: boolean): Promise<Stores> {
  const [{ Level }, { TableDatastore }] = await Promise.all([import('./level.ts'), import('./datastore.ts')])
  let place: Place | undefined
  try {
    place = await openPlace(dir)
    const { location, release } = place
    const db = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: 'view', valueEncoding: 'view' })
    await db.open({ compression: false, writeBufferSize: 16 << 20, cacheSize: 16 << 20 })
    const queue = new WriteQueue(db, sync)
    const table = (prefix: string): LevelTable => new LevelTable(db, queue, prefix.charCodeAt(0))
    return {
      blocks: table('b'),
      pins: table('p'),
      state: table('s'),
      data: new TableDatastore(table('d')),
      close: async () => {
        await db.close()
        release()
      }
    }
  } catch (cause) {
    place?.release()
    throw openError(dir, cause)
  }
}

function openError(dir: string, cause: unknown): Error {
  const reason: unknown = cause instanceof Error ? (cause.cause ?? cause) : cause
  const locked = reason instanceof PlaceLockedError || (reason as { code?: unknown }).code === 'LEVEL_LOCKED'
  return failure({
    code: locked ? 'LOCKED' : 'STORAGE',
    operation: 'start',
    cause,
    message: locked
      ? `the folder ${dir} is in use by another process, page or backend: stop that one, or give this one a folder of its own`
      : `the folder ${dir} cannot be opened: ${reason instanceof Error ? reason.message : String(reason)}`
  })
}

/** The part of an abstract-level that a table uses. */
interface LevelLike {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  has(key: Uint8Array): Promise<boolean>
  batch(operations: LevelOperation[], options: { sync: boolean }): Promise<void>
  keys(range: { gte: Uint8Array; lt: Uint8Array }): AsyncIterable<Uint8Array>
}

type LevelOperation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array }

/**
 * Writes that come while one is under way are joined into the next: one log record, and one wait for the disk, for all of
 * them.
 */
class WriteQueue {
  readonly #level: LevelLike
  readonly #sync: boolean
  #operations: LevelOperation[] = []
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  constructor(level: LevelLike, sync: boolean) {
    this.#level = level
    this.#sync = sync
  }

  write(operations: readonly LevelOperation[]): Promise<void> {
    for (const operation of operations) this.#operations.push(operation)
    this.#next ??= this.#flushAfter(this.#current)
    return this.#next
  }

  #flushAfter(previous: Promise<void>): Promise<void> {
    const flush = previous
      .catch(() => {})
      .then(() => {
        const operations = this.#operations
        this.#operations = []
        this.#next = undefined
        return this.#level.batch(operations, { sync: this.#sync })
      })
    this.#current = flush
    return flush
  }
}

/** The keys of a database that begin with one byte. */
class LevelTable implements Table {
  readonly #level: LevelLike
  readonly #queue: WriteQueue
  readonly #prefix: number

  constructor(level: LevelLike, queue: WriteQueue, prefix: number) {
    this.#level = level
    this.#queue = queue
    this.#prefix = prefix
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#level.get(this.#prefixed(key))
    return value === undefined ? undefined : plain(value)
  }

  has(key: Uint8Array): Promise<boolean> {
    return this.#level.has(this.#prefixed(key))
  }

  async *keys(from: Uint8Array = new Uint8Array()): AsyncIterable<Uint8Array> {
    const gte = this.#prefixed(from)
    // The same with its last byte one higher is behind every key that begins with it: keys here never end in 0xff.
    const lt = new Uint8Array(gte)
    lt[lt.length - 1] = (lt.at(-1) ?? 0) + 1
    for await (const key of this.#level.keys({ gte, lt })) yield plain(key.subarray(1))
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#queue.write(
      changes.map(({ key, value }) =>
        value === undefined
          ? { type: 'del', key: this.#prefixed(key) }
          : { type: 'put', key: this.#prefixed(key), value }
      )
    )
  }

  #prefixed(key: Uint8Array): Uint8Array {
    const prefixed = new Uint8Array(key.length + 1)
    prefixed[0] = this.#prefix
    prefixed.set(key, 1)
    return prefixed
  }
}

class MemoryTable implements Table {
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

/**
 * The bytes as a plain Uint8Array: modules of Node give Buffers, which behave differently. A small part of a large buffer is
 * copied, so that it does not keep the rest alive.
 */
export function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength * 2 < bytes.buffer.byteLength) return new Uint8Array(bytes)
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Bytes as a text of the same length, for use as a key of a map. */
export function textOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
