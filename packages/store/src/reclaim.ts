import { compareBytes } from '@p2pl/core/backend'
import type { Reserve } from './reserve.ts'
import type { Session } from './session.ts'

/** The size of one compaction: the end of the process, and a full disk, wait for at most one. */
const sliceBytes = 33_554_432
/** Smaller amounts are left to LevelDB, which removes them in its next compaction. */
const leastBytes = 4_194_304
/** A compaction rewrites what stays. It is worth that when at least this share is removed. */
const leastShare = 1 / 8

/** LevelDB's calls that abstract-level does not have. */
interface Compactable {
  approximateSize(from: Uint8Array, to: Uint8Array, options: { keyEncoding: 'view' }): Promise<number>
  compactRange(from: Uint8Array, to: Uint8Array, options: { keyEncoding: 'view' }): Promise<void>
}

const view = { keyEncoding: 'view' } as const

/**
 * Gives the space of removed values back to the file system, in the background. LevelDB itself does so only when later
 * writes happen to fall into the same range.
 */
export class Reclaimer {
  readonly #session: Session
  readonly #reserve: Reserve | undefined
  #from: Uint8Array | undefined
  #to: Uint8Array | undefined
  #removed = 0
  #running: Promise<void> | undefined
  /** Resolves when the next part is compacted. */
  #part = Promise.withResolvers<void>()
  #stopped = false

  constructor(session: Session, reserve: Reserve | undefined) {
    this.#session = session
    this.#reserve = reserve
  }

  /** The number of bytes on disk between the keys; 0 where the database cannot tell. */
  async size(from: Uint8Array, to: Uint8Array): Promise<number> {
    return await this.#session.use(async (database) => {
      const level = database as unknown as Partial<Compactable>
      return (await level.approximateSize?.(from, to, view)) ?? 0
    })
  }

  /** Notes that about this many bytes were removed between the keys. */
  removed(from: Uint8Array, to: Uint8Array, bytes: number): void {
    if (this.#from === undefined || compareBytes(from, this.#from) < 0) this.#from = from
    if (this.#to === undefined || compareBytes(to, this.#to) > 0) this.#to = to
    this.#removed += bytes
    if (this.#removed >= leastBytes) this.#running ??= this.#run()
  }

  /** Resolves with `true` when more space has been given back, or at once with `false` when nothing is being compacted. */
  async more(): Promise<boolean> {
    if (this.#running === undefined) return false
    await Promise.race([this.#part.promise, this.#running])
    return true
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#removed >= leastBytes && !this.#stopped) {
        const [from, to, removed] = [this.#from, this.#to, this.#removed]
        if (from === undefined || to === undefined) break
        if (removed < (await this.size(from, to)) * leastShare) break
        this.#from = this.#to = undefined
        this.#removed = 0
        await this.#compact(from, to)
        await this.#reserve?.fill()
      }
    } catch {
      // The next write runs into the same problem with the disk, and reports it.
    } finally {
      this.#running = undefined
    }
  }

  async #compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    const middle = between(from, to)
    if ((await this.size(from, to)) > sliceBytes && middle !== undefined) {
      await this.#compact(from, middle)
      await this.#compact(middle, to)
      return
    }
    if (this.#stopped) return
    // A compaction writes what stays before it deletes the old files.
    const free = await this.#reserve?.free()
    if (free !== undefined && free < sliceBytes) await this.#reserve?.release()
    await this.#session.use(async (database) => {
      await (database as unknown as Partial<Compactable>).compactRange?.(from, to, view)
    })
    this.#part.resolve()
    this.#part = Promise.withResolvers()
  }
}

/** A key in the middle of the range, computed from the eight bytes after the common prefix. */
function between(from: Uint8Array, to: Uint8Array): Uint8Array | undefined {
  let shared = 0
  while (shared < from.length && from[shared] === to[shared]) shared++
  const middle = (tail(from, shared) + tail(to, shared)) / 2n
  const key = new Uint8Array(shared + 8)
  key.set(from.subarray(0, shared))
  new DataView(key.buffer).setBigUint64(shared, middle)
  return compareBytes(key, from) > 0 && compareBytes(key, to) < 0 ? key : undefined
}

function tail(key: Uint8Array, from: number): bigint {
  const bytes = new Uint8Array(8)
  bytes.set(key.subarray(from, from + 8))
  return new DataView(bytes.buffer).getBigUint64(0)
}
