import { sleep } from '@p2pl/core/backend'
import type { Disk } from './disk.ts'
import type { StoreErrors } from './errors.ts'
import type { Reclaimer } from './reclaim.ts'
import type { Session } from './session.ts'
import type { StoreEvent } from './types.ts'
import { fileBytes } from './value-files.ts'
import type { EncodedWrite, Values } from './values.ts'
import { WriteQueue, type Write } from './write-queue.ts'

/** A failed write is retried on the reopened database, where the cause may be gone. */
const mostTries = 3
const waitMs = 20
const mostWaits = 100
const mostStill = 5

interface WriterParts {
  readonly session: Session
  readonly disk: Disk | undefined
  readonly values: Values
  readonly errors: StoreErrors
  readonly reclaimer: Pick<Reclaimer, 'more'>
  readonly report: (event: StoreEvent) => void
}

/** Writes to the database and to files, and decides what still fits on a full disk. */
export class Writer {
  readonly #parts: WriterParts
  readonly #queue: WriteQueue
  /** The size of a failed write in bytes, until a write of that size would fit. */
  #failed: number | undefined

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#queue = new WriteQueue((writes) => this.#commit(writes))
  }

  async write(encoded: EncodedWrite, sync: boolean, leaves: number): Promise<void> {
    const { operations, bytes, large, dropped } = encoded
    const write = { operations, bytes, sync, leaves }
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
        await this.#room(bytes, write.leaves)
        await files?.put(large, write.sync, () => this.#queue.add(write))
      })
    } catch (error) {
      // A value that is not in the database must not take up space.
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
    const leaves = Math.max(...writes.map((write) => write.leaves))
    disk?.expect(bytes)
    await this.#reporting(bytes, async () => {
      for (let tries = 1; ; tries++) {
        await session.writable()
        if (leaves > 0) await this.#room(bytes, leaves)
        const cause = await session.write(operations, sync)
        if (cause === undefined) return
        if (tries === mostTries) throw errors.failed('write', cause)
      }
    })
  }

  async #room(bytes: number, leaves: number): Promise<void> {
    const { disk, errors, reclaimer, session } = this.#parts
    if (disk === undefined || (await fits(disk, bytes, leaves))) return
    // A compaction is giving back the space of removed values.
    while (await reclaimer.more()) if (await fits(disk, bytes, leaves)) return
    // LevelDB reports a failed compaction only to the next write. When it is opened again, it deletes what the
    // compaction left behind.
    await session.write([], false)
    if (await fits(disk, bytes, leaves)) return
    if (await this.#compacted(disk)) await session.reopen()
    if (await fits(disk, bytes, leaves)) return
    const { wanted, size } = disk.reserve
    throw errors.full(wanted - size + 2 * bytes - (await disk.reserve.free()))
  }

  /**
   * Waits for a compaction, which takes space before it gives some back. Returns whether unused tables are left when it
   * makes no more progress.
   */
  async #compacted(disk: Disk): Promise<boolean> {
    let still = 0
    let before = 0
    for (let waits = 0; waits < mostWaits && still < mostStill; waits++) {
      const { unusedBytes } = await disk.measure()
      if (unusedBytes === 0) return false
      still = unusedBytes === before ? still + 1 : 0
      before = unusedBytes
      await sleep(waitMs, { hold: true })
    }
    return still === mostStill
  }

  /** Reports when writes begin to fail, and when they work again. */
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
    // The failed write may be larger than one that fits now.
    if (disk !== undefined && !(await fits(disk, this.#failed, 1))) return
    if (disk !== undefined && (await disk.reserve.free()) < 2 * this.#failed) return
    this.#failed = undefined
    report({ type: 'recovered' })
  }
}

/** Whether the write fits: the reserve is full, or as much space is free as the write must leave. */
async function fits(disk: Disk, bytes: number, leaves: number): Promise<boolean> {
  const { reserve } = disk
  // Each large value may take a file and a folder.
  const files = 2 * Math.floor(bytes / fileBytes)
  if (leaves > 0 && (files > 0 || !reserve.whole) && !(await reserve.hasFiles(files, leaves))) return false
  if (reserve.whole) return true
  if ((await reserve.free()) >= 2 * (bytes + reserve.wanted)) {
    // There is room for both, so the write does not wait for the reserve.
    void reserve.fill(bytes)
    return true
  }
  const { unusedBytes } = await disk.measure()
  // Do not take space that a compaction is about to need.
  if (unusedBytes === 0 && (await reserve.fill(bytes))) return true
  return (await reserve.free()) >= 2 * bytes + reserve.wanted * leaves
}
