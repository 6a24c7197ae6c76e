import type { Disk } from './disk.ts'
import type { StoreErrors } from './errors.ts'
import { isDamage, isLocked } from './errors.ts'
import { markerOf, markerRecord, sequenceKey, sequenceOf } from './marker.ts'
import type { Database, Operation } from './types.ts'

export const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const
const firstPause = 100
const longestPause = 30_000

/**
 * A database that is closed and opened again when a write has failed. LevelDB goes on behind a record that it wrote in part:
 * whatever it acknowledges from then on is gone at the next opening (google/leveldb#577, #1180).
 */
export class Session {
  readonly #database: Database
  readonly #disk: Disk | undefined
  readonly #errors: StoreErrors
  readonly #openOptions: object
  /** `sealed`: readable, but the log is torn. `down`: it could not be opened again. */
  #state: 'open' | 'sealed' | 'down' | 'lost' | 'closed' = 'down'
  /** Counts the times that it was closed: what failed meanwhile is tried again. */
  #epoch = 0
  #renewing: Promise<boolean> | undefined
  #sequence = 0
  /** Its caller was told that the last write failed, so it must not be there later. */
  #rejected = false
  /** Why it cannot be written to. */
  #cause: unknown
  #retryAt = -Infinity
  #pause = firstPause

  constructor(database: Database, disk: Disk | undefined, errors: StoreErrors, openOptions: object) {
    this.#database = database
    this.#disk = disk
    this.#errors = errors
    this.#openOptions = openOptions
  }

  /** Opens the database for the first time. */
  async open(): Promise<void> {
    try {
      await this.#database.open(this.#openOptions)
    } catch (cause) {
      if (this.#disk === undefined || isLocked(cause) || isDamage(cause)) throw cause
      // What LevelDB needs to open on a full disk.
      await this.#disk.reserve.release()
      await this.#database.open(this.#openOptions)
    }
    this.#sequence = await this.#storedSequence()
    this.#state = 'open'
  }

  get database(): Database {
    return this.#database
  }

  /** The number of the last write that was acknowledged. */
  get sequence(): number {
    return this.#sequence
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Reads; again when the database was closed under it. */
  async use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#renewing?.catch(() => {})
      if (this.#state === 'closed') throw this.#errors.closed('read')
      if (this.#state === 'down' || this.#state === 'lost') await this.#revive('read')
      const epoch = this.#epoch
      try {
        return await work(this.#database)
      } catch (cause) {
        if (epoch !== this.#epoch) continue
        if (this.#database.status === 'open') throw this.#errors.failed('read', cause)
        this.#cause = cause
        this.#state = 'down'
      }
    }
  }

  /** Resolves when writes can be tried. */
  async writable(): Promise<void> {
    await this.#renewing?.catch(() => {})
    if (this.#state === 'closed') throw this.#errors.closed('write')
    if (this.#state !== 'open') await this.#revive('write')
  }

  /**
   * Applies the operations together. Gives why it failed when it did, and the database is as it was before: it may be tried
   * again. Rejects when the database cannot be written to any more.
   */
  async write(operations: readonly Operation[], sync: boolean): Promise<unknown> {
    const sequence = this.#sequence + 1
    try {
      // `sync` is an option of LevelDB; other databases have their own durability and ignore it.
      const options = { ...encodings, sync } as typeof encodings
      await this.#database.batch<Uint8Array, Uint8Array>([...operations, markerOf(sequence)], options)
      this.#sequence = sequence
      return undefined
    } catch (cause) {
      // Opened again, it would keep the folder from everybody else.
      if (this.#isClosed()) throw this.#errors.closed('write')
      // It may be closed already: an attempt to open it again, made meanwhile, has failed.
      this.#state = this.#database.status === 'open' ? 'sealed' : 'down'
      this.#cause = cause
      try {
        return (await this.#renew()) ? undefined : cause
      } catch {
        this.#rejected = true
        throw this.#failure('write')
      }
    }
  }

  /** Closes the database and opens it again: LevelDB then removes what it no longer uses. */
  async reopen(): Promise<void> {
    if (this.#isClosed()) throw this.#errors.closed('write')
    try {
      await this.#renew()
    } catch {
      throw this.#failure('write')
    }
  }

  async close(release: boolean): Promise<void> {
    await this.#renewing?.catch(() => {})
    this.#state = 'closed'
    this.#epoch++
    if (release) await this.#database.close()
  }

  /** It may have been closed while something was awaited. */
  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #failure(call: 'read' | 'write'): Error {
    return this.#state === 'lost' ? this.#errors.lost() : this.#errors.failed(call, this.#cause)
  }

  /** Tries to come back from an earlier failure. */
  async #revive(call: 'read' | 'write'): Promise<void> {
    const early = this.#state === 'down' && performance.now() < this.#retryAt
    if (early || this.#state === 'lost') throw this.#failure(call)
    try {
      await this.#renew()
    } catch {
      throw this.#failure(call)
    }
  }

  /** Closes the database and opens it again. Gives whether the write that failed last is in it. */
  async #renew(): Promise<boolean> {
    this.#renewing ??= this.#closeAndOpen().finally(() => {
      this.#renewing = undefined
    })
    return await this.#renewing
  }

  async #closeAndOpen(): Promise<boolean> {
    const disk = this.#disk
    // Sealed, it can still be read; closed and without room to open again, it could not.
    if (disk !== undefined && !(await disk.makeRoom())) throw this.#cause
    this.#epoch++
    try {
      await this.#database.close()
      this.#state = 'down'
      // A pause that grows, for a disk on which opening fails again and again.
      this.#retryAt = performance.now() + this.#pause
      this.#pause = Math.min(this.#pause * 2, longestPause)
      if (this.#rejected) await disk?.forget(markerRecord(this.#sequence + 1))
      await disk?.checkLogs()
      await disk?.removeUnused()
      await this.#database.open(this.#openOptions)
    } catch (cause) {
      this.#cause = cause
      throw cause
    }
    const found = await this.#storedSequence()
    if (found < this.#sequence) {
      this.#state = 'lost'
      await this.#database.close()
      throw this.#errors.lost()
    }
    const applied = found > this.#sequence
    this.#sequence = found
    this.#rejected = false
    this.#pause = firstPause
    this.#state = 'open'
    return applied
  }

  async #storedSequence(): Promise<number> {
    return sequenceOf(await this.#database.get<Uint8Array, Uint8Array>(sequenceKey, encodings))
  }
}
