import type { Disk } from './disk.ts'
import type { StoreErrors } from './errors.ts'
import { isDamage, isLocked } from './errors.ts'
import { markerOf, markerRecord, sequenceKey, sequenceOf } from './marker.ts'
import type { Database, Operation } from './types.ts'

export const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const
const firstPause = 100
const longestPause = 30_000

/**
 * A database that is closed and opened again after a failed write. LevelDB continues after a partly written record, and
 * everything that it acknowledges from then on is lost when it is next opened (google/leveldb#577, #1180).
 */
export class Session {
  readonly #database: Database
  readonly #disk: Disk | undefined
  readonly #errors: StoreErrors
  readonly #openOptions: object
  /** `sealed`: readable, but the log is torn. `down`: it could not be opened again. */
  #state: 'open' | 'sealed' | 'down' | 'lost' | 'closed' = 'down'
  /** Counts how often the database was closed. A read that fails while this changes is tried again. */
  #epoch = 0
  #renewing: Promise<boolean> | undefined
  #sequence = 0
  /** Whether a caller was told that the last write failed. Then this write must not appear later. */
  #rejected = false
  /** Why the database cannot be written to. */
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
      // Free the space that LevelDB needs to open on a full disk.
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

  /** Runs a read. Runs it again if the database was closed meanwhile. */
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

  /** Resolves when writes can be attempted. */
  async writable(): Promise<void> {
    await this.#renewing?.catch(() => {})
    if (this.#state === 'closed') throw this.#errors.closed('write')
    if (this.#state !== 'open') await this.#revive('write')
  }

  /**
   * Applies all operations or none. Returns `undefined` on success. Returns the cause of a failure after which the
   * database is as it was before: the caller may try again. Rejects when the database can no longer be written to.
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
      // If the closed database were opened again, it would lock everybody else out of the folder.
      if (this.#isClosed()) throw this.#errors.closed('write')
      // The database may be closed already: a concurrent attempt to open it again has failed.
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

  /** Closes the database and opens it again. LevelDB then deletes the files that it no longer uses. */
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

  /** A method, because the session may be closed during an `await`. */
  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #failure(call: 'read' | 'write'): Error {
    return this.#state === 'lost' ? this.#errors.lost() : this.#errors.failed(call, this.#cause)
  }

  /** Tries to recover from an earlier failure. */
  async #revive(call: 'read' | 'write'): Promise<void> {
    const early = this.#state === 'down' && performance.now() < this.#retryAt
    if (early || this.#state === 'lost') throw this.#failure(call)
    try {
      await this.#renew()
    } catch {
      throw this.#failure(call)
    }
  }

  /** Closes the database and opens it again. Returns whether the last failed write is in it. */
  async #renew(): Promise<boolean> {
    this.#renewing ??= this.#closeAndOpen().finally(() => {
      this.#renewing = undefined
    })
    return await this.#renewing
  }

  async #closeAndOpen(): Promise<boolean> {
    const disk = this.#disk
    // A sealed database can still be read. One that is closed and has no room to open again cannot.
    if (disk !== undefined && !(await disk.makeRoom())) throw this.#cause
    this.#epoch++
    try {
      await this.#database.close()
      this.#state = 'down'
      // A growing pause, for a disk on which opening fails repeatedly.
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
