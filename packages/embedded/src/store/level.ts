import { plain } from '../bytes.ts'
import type { Failures } from '../failures.ts'
import { PlaceTakenError, takePlace, type Place } from './place.ts'
import { MemoryTable, type Change, type Table } from './table.ts'
import { WriteQueue, type Writer } from './write-queue.ts'

export interface OpenTablesOptions<Name extends string> {
  /** A folder in Node, the name of an IndexedDB database in browsers; without it, all is gone with the process. */
  readonly dir: string | undefined
  /** Each write waits for the disk, and survives the loss of power as far as the disk keeps its word. */
  readonly sync: boolean
  /** The names of the tables, each with a letter of its own that never changes. */
  readonly names: Readonly<Record<Name, string>>
}

export interface OpenTables<Name extends string> {
  readonly tables: Readonly<Record<Name, Table>>
  readonly close: () => Promise<void>
}

/**
 * One LevelDB for all tables: a single lock, and a single log to sync. LevelDB hands every write to the operating system before
 * it confirms it, so that what was confirmed survives the end of the process; with `sync` it survives loss of power, too.
 * Throws `LOCKED` when another process or backend has the folder, `STORAGE` when it cannot be opened.
 */
export async function openTables<Name extends string>(
  failures: Failures,
  { dir, sync, names }: OpenTablesOptions<Name>
): Promise<OpenTables<Name>> {
  if (dir === undefined) return { tables: each(names, () => new MemoryTable()), close: async () => {} }
  const { Level } = await import('./database.ts')
  let place: Place | undefined
  try {
    place = await takePlace(dir)
    const { location, release } = place
    const database = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: 'view', valueEncoding: 'view' })
    await database.open({ compression: false, writeBufferSize: 16 << 20, cacheSize: 16 << 20 })
    const queue = new WriteQueue(database, sync)
    return {
      tables: each(names, (letter) => new LevelTable(database, queue, letter.charCodeAt(0))),
      close: async () => {
        await database.close()
        await release()
      }
    }
  } catch (cause) {
    await place?.release()
    throw openError(failures, dir, cause)
  }
}

function each<Name extends string, T>(
  names: Readonly<Record<Name, string>>,
  make: (letter: string) => T
): Record<Name, T> {
  return Object.fromEntries(
    Object.entries(names).map(([name, letter]) => [name, make(letter as string)])
  ) as unknown as Record<Name, T>
}

function openError({ failure }: Failures, dir: string, cause: unknown): Error {
  const reason: unknown = cause instanceof Error ? (cause.cause ?? cause) : cause
  const locked = reason instanceof PlaceTakenError || (reason as { code?: unknown }).code === 'LEVEL_LOCKED'
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
interface LevelLike extends Writer {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  has(key: Uint8Array): Promise<boolean>
  keys(range: { gte: Uint8Array; lt: Uint8Array }): AsyncIterable<Uint8Array>
}

/** The keys of a database that begin with one byte. */
class LevelTable implements Table {
  readonly #level: LevelLike
  readonly #queue: WriteQueue
  readonly #letter: number

  constructor(level: LevelLike, queue: WriteQueue, letter: number) {
    this.#level = level
    this.#queue = queue
    this.#letter = letter
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#level.get(this.#prefixed(key))
    return value === undefined ? undefined : plain(value)
  }

  has(key: Uint8Array): Promise<boolean> {
    return this.#level.has(this.#prefixed(key))
  }

  async *keys(prefix: Uint8Array = new Uint8Array()): AsyncIterable<Uint8Array> {
    const gte = this.#prefixed(prefix)
    for await (const key of this.#level.keys({ gte, lt: behind(gte) })) yield plain(key.subarray(1))
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
    prefixed[0] = this.#letter
    prefixed.set(key, 1)
    return prefixed
  }
}

/** The least key that is behind all that begin with these bytes, of which the first is a letter and so not 0xff. */
function behind(prefix: Uint8Array): Uint8Array {
  let length = prefix.length
  while (prefix[length - 1] === 0xff) length--
  const next = prefix.slice(0, length)
  next[length - 1] = (next[length - 1] ?? 0) + 1
  return next
}
