import type { Disk } from './disk.ts'
import type { StoreErrors } from './errors.ts'
import type { Reserve } from './reserve.ts'
import type { Session } from './session.ts'
import type { StoreEvent } from './types.ts'
import type { EncodedWrite, Values } from './values.ts'
import { WriteQueue, type Write } from './write-queue.ts'

/** A write that fails is tried again on the database as it was opened again, where the cause may be gone. */
const mostTries = 3

interface WriterParts {
  readonly session: Session
  readonly disk: Disk | undefined
  readonly values: Values
  readonly errors: StoreErrors
  readonly report: (event: StoreEvent) => void
}

/** Brings writes to the database and to files, and decides what a full disk still takes. */
export class Writer {
  readonly #parts: WriterParts
  readonly #queue: WriteQueue
  /** Bytes of a write that failed, until one of that size would fit. */
  #failed: number | undefined

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#queue = new WriteQueue((writes) => this.#commit(writes))
  }

  async write(encoded: EncodedWrite, sync: boolean, reserved: boolean): Promise<void> {
    const { operations, bytes, large, dropped } = encoded
    const write = { operations, bytes, sync, reserved }
    if (large.size === 0) await this.#queue.add(write)
    else await this.#writeLarge(large, write)
    if (dropped.length > 0) await this.#parts.values.files?.remove(dropped)
  }

  async idle(): Promise<void> {
    await this.#queue.idle()
  }

  async #writeLarge(large: EncodedWrite['large'], write: Write): Promise<void> {
    const { files } = this.#parts.values
    const bytes = [...large.values()].reduce((sum, { length }) => sum + length, 0)
    try {
      await this.#reporting(bytes, async () => {
        await this.#room(bytes)
        await files?.put(large, write.sync, () => this.#queue.add(write))
      })
    } catch (error) {
      // A value that the database does not know must not take space.
      for (const key of large.keys()) if (!(await this.#isKnown(key))) await files?.remove([key]).catch(() => {})
      throw error
    }
  }

  async #isKnown(key: Uint8Array): Promise<boolean> {
    try {
      return await this.#parts.session.use((database) => database.has(key, { keyEncoding: 'view' }))
    } catch {
      return true
    }
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const { session, disk, errors } = this.#parts
    const operations = writes.flatMap((write) => write.operations)
    const sync = writes.some((write) => write.sync)
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0)
    await disk?.expect(bytes)
    await this.#reporting(bytes, async () => {
      for (let tries = 1; ; tries++) {
        await session.writable()
        if (!writes.every(({ reserved }) => reserved)) await this.#room(bytes)
        const cause = await session.write(operations, sync)
        if (cause === undefined) return
        if (tries === mostTries) throw errors.failed('write', cause)
      }
    })
  }

  async #room(bytes: number): Promise<void> {
    const { disk, errors, session } = this.#parts
    if (disk === undefined || (await fits(disk.reserve, bytes))) return
    // LevelDB tells only a write that a compaction has failed; opened again, it removes what that left behind.
    await session.write([], false)
    await disk.measure()
    if (await fits(disk.reserve, bytes)) return
    const { wanted, size } = disk.reserve
    throw errors.full(wanted - size + 2 * bytes - (await disk.reserve.free()))
  }

  /** Says when writes begin to fail, and when they go on. */
  async #reporting(bytes: number, work: () => Promise<void>): Promise<void> {
    const { disk, errors, report } = this.#parts
    try {
      await work()
    } catch (cause) {
      const error = errors.failed('write', cause)
      if (this.#failed === undefined) report({ type: 'degraded', error })
      this.#failed = bytes
      throw error
    }
    if (this.#failed === undefined) return
    // What failed may be larger than what fits.
    if (disk !== undefined && !(await fits(disk.reserve, this.#failed))) return
    if (disk !== undefined && (await disk.reserve.free()) < 2 * this.#failed) return
    this.#failed = undefined
    report({ type: 'recovered' })
  }
}

/** With the reserve whole, or half of it free: the other half is for removals, and for opening the database again. */
async function fits(reserve: Reserve, bytes: number): Promise<boolean> {
  if (reserve.whole || (await reserve.fill(bytes))) return true
  return (await reserve.free()) >= 2 * bytes + reserve.wanted / 2
}
