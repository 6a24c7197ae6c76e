import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { plain, textOf } from '../bytes.ts'
import { failure } from '../errors.ts'
import type { Settings } from '../options.ts'

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
  /** All keys, as they were at some time after the call. */
  keys(): AsyncIterable<Uint8Array>
}

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  /** Pins, and which blocks they hold. */
  readonly pins: Table
  /** Multihashes that are provided. */
  readonly provided: Table
  /** Torrents that are seeded, by the multihash of the root. */
  readonly torrents: Table
  /** The ids. */
  readonly state: Table
  close(): Promise<void>
}

export async function openStores(settings: Settings): Promise<Stores> {
  return settings.dir === undefined ? openMemory() : await openFolder(settings.dir, settings.durability === 'power')
}

function openMemory(): Stores {
  return {
    blocks: new MemoryTable(),
    pins: new MemoryTable(),
    provided: new MemoryTable(),
    torrents: new MemoryTable(),
    state: new MemoryTable(),
    close: async () => {}
  }
}

/**
 * One LevelDB for all: a single lock, and a single log to sync. LevelDB hands every write to the operating system before
 * it confirms it, so that what was confirmed survives the end of the process; with `sync` it survives loss of power, too.
 */
async function openFolder(dir: string, sync: boolean): Promise<Stores> {
  const { Level } = await import('level')
  const db = new Level<Uint8Array, Uint8Array>(join(dir, 'store'), { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await db.open({ compression: false, writeBufferSize: 16 << 20, cacheSize: 16 << 20 })
  } catch (cause) {
    throw openError(dir, cause)
  }
  const table = (name: string): LevelTable =>
    new LevelTable(db.sublevel<Uint8Array, Uint8Array>(name, { keyEncoding: 'view', valueEncoding: 'view' }), sync)
  return {
    blocks: table('blocks'),
    pins: table('pins'),
    provided: table('provided'),
    torrents: table('torrents'),
    state: table('state'),
    close: async () => {
      await db.close()
    }
  }
}

function openError(dir: string, cause: unknown): Error {
  const reason: unknown = cause instanceof Error ? (cause.cause ?? cause) : cause
  const locked = (reason as { code?: unknown }).code === 'LEVEL_LOCKED'
  return failure({
    code: locked ? 'LOCKED' : 'STORAGE',
    operation: 'start',
    cause,
    message: locked
      ? `the folder ${dir} is in use by another process or another backend: stop that one, or give this one a folder of its own`
      : `the folder ${dir} cannot be opened: ${reason instanceof Error ? reason.message : String(reason)}`
  })
}

/** The part of an abstract-level that a table uses. */
interface LevelLike {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  has(key: Uint8Array): Promise<boolean>
  batch(operations: LevelOperation[], options: { sync: boolean }): Promise<void>
  keys(): AsyncIterable<Uint8Array>
}

type LevelOperation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array }

/**
 * Writes that come while one is under way are joined into the next: one log record, and one wait for the disk, for all of
 * them.
 */
class LevelTable implements Table {
  readonly #level: LevelLike
  readonly #sync: boolean
  #queue: LevelOperation[] = []
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  constructor(level: unknown, sync: boolean) {
    this.#level = level as LevelLike
    this.#sync = sync
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#level.get(key)
    return value === undefined ? undefined : plain(value)
  }

  has(key: Uint8Array): Promise<boolean> {
    return this.#level.has(key)
  }

  keys(): AsyncIterable<Uint8Array> {
    return this.#level.keys()
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes)
      this.#queue.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
    this.#next ??= this.#flushAfter(this.#current)
    return this.#next
  }

  #flushAfter(previous: Promise<void>): Promise<void> {
    const flush = previous
      .catch(() => {})
      .then(() => {
        const operations = this.#queue
        this.#queue = []
        this.#next = undefined
        return this.#level.batch(operations, { sync: this.#sync })
      })
    this.#current = flush
    return flush
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

  async *keys(): AsyncIterable<Uint8Array> {
    for (const { key } of Array.from(this.#entries.values())) yield key
  }
}
