import { type DiskSpace, type FileSystem, makeFolder } from './node.ts'

/**
 * Several files, so that a file system without free inodes gets some of them back: LevelDB creates about five files
 * when it opens.
 */
const parts = 8
const chunkBytes = 131_072
/** This much space stays free in addition to the reserve. */
const besideBytes = 524_288
/** The number of files that LevelDB may need when it opens. */
const leastFiles = 8
/** The reserve of an empty store. */
const leastReserve = 1_048_576

/**
 * Disk space held by files that can be deleted when it is needed. LevelDB copies its logs when it opens, writes a
 * little for every removal, and copies what stays before it deletes the rest. On a full disk it could do none of that,
 * so nobody could make room by removing values.
 */
export class Reserve {
  readonly #files: FileSystem
  readonly #folder: string
  #sizes: number[] = Array.from({ length: parts }, () => 0)
  #wanted = leastReserve
  /** Settles when all requested work is done; the work runs one item at a time. */
  #done: Promise<unknown> = Promise.resolve()

  constructor(files: FileSystem, store: string) {
    this.#files = files
    this.#folder = `${store}/reserve`
  }

  /** The target size of the reserve in bytes. */
  get wanted(): number {
    return this.#wanted
  }

  /** Sets the target size. Gives space back if the reserve is far larger. */
  async want(bytes: number): Promise<void> {
    this.#wanted = Math.max(leastReserve, bytes)
    if (this.size <= 2 * this.#wanted) return
    await this.release()
    await this.fill()
  }

  /** Resolves when no write or removal is running. */
  async idle(): Promise<void> {
    await this.#done
  }

  get size(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0)
  }

  get whole(): boolean {
    return this.size >= this.wanted
  }

  /** Finds what an earlier process reserved. */
  async find(): Promise<void> {
    const sizes = this.#sizes.map(async (_, i) => {
      const found = await this.#files.stat(this.#part(i)).catch(() => undefined)
      return found?.size ?? 0
    })
    this.#sizes = await Promise.all(sizes)
  }

  /** The number of bytes that are free besides the reserve. */
  async free(): Promise<number> {
    const { bavail, bsize } = await this.#space()
    return bavail * bsize
  }

  /**
   * Whether `count` files can be created while the share `leaves` of the files that LevelDB may need stays free. With
   * `givenUp`, the files of the reserve count as free.
   */
  async hasFiles(count: number, leaves: number, givenUp = false): Promise<boolean> {
    const { files, ffree } = await this.#space()
    const held = givenUp ? this.#sizes.filter((size) => size > 0).length : 0
    return files === 0 || ffree + held >= count + leastFiles * leaves
  }

  /** Fills the reserve if `beside` bytes stay free after that. Returns whether the reserve is full. */
  async fill(beside: number = besideBytes): Promise<boolean> {
    return await this.#afterwards(async () => await this.#fill(beside))
  }

  /** Gives the space back to the file system. Fails if the disk cannot be written to. */
  async release(): Promise<void> {
    await this.#afterwards(async () => {
      for (const [i, size] of this.#sizes.entries()) {
        if (size === 0) continue
        await this.#files.rm(this.#part(i), { force: true })
        this.#sizes[i] = 0
      }
    })
  }

  async #afterwards<T>(work: () => Promise<T>): Promise<T> {
    const working = this.#done.then(work)
    this.#done = working.catch(() => {})
    return await working
  }

  async #fill(beside: number): Promise<boolean> {
    if (this.whole) return true
    const before = [...this.#sizes]
    try {
      if ((await this.free()) < this.wanted - this.size + beside || !(await this.hasFiles(parts, 1))) return false
      await makeFolder(this.#files, this.#folder)
      const share = Math.ceil(this.wanted / parts)
      for (const [i, size] of before.entries()) if (size < share) await this.#grow(i, share)
    } catch {
      // Something else took the space first, or the disk cannot be written to.
      await this.#shrink(before).catch(() => {})
    }
    return this.whole
  }

  async #grow(part: number, share: number): Promise<void> {
    for (let size = this.#sizes[part] ?? 0; size < share;) {
      const chunk = noise().subarray(0, share - size)
      await this.#files.appendFile(this.#part(part), chunk)
      size += chunk.length
      this.#sizes[part] = size
    }
  }

  async #shrink(to: readonly number[]): Promise<void> {
    for (const [i, size] of to.entries()) {
      if (this.#sizes[i] === size) continue
      await this.#files.truncate(this.#part(i), size)
      this.#sizes[i] = size
    }
  }

  async #space(): Promise<DiskSpace> {
    return await this.#files.statfs(this.#folder.slice(0, -'/reserve'.length))
  }

  #part(i: number): string {
    return `${this.#folder}/${i}`
  }
}

let noiseChunk: Uint8Array<ArrayBuffer> | undefined

/** Random bytes, which a compressing file system cannot shrink: it looks at no more than this many bytes at a time. */
function noise(): Uint8Array {
  if (noiseChunk !== undefined) return noiseChunk
  noiseChunk = new Uint8Array(chunkBytes)
  for (let at = 0; at < chunkBytes; at += 65_536) crypto.getRandomValues(noiseChunk.subarray(at, at + 65_536))
  return noiseChunk
}
