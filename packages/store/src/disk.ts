import { equalBytes } from '@p2pl/core/backend'
import { checkFolder, checkLogs, surveyFolder, type CheckOptions } from './check/folder.ts'
import { readLog } from './check/log.ts'
import type { FileSystem } from './node.ts'
import { Reserve } from './reserve.ts'
import type { DatabaseSizes } from './sizes.ts'

/** The number of bytes that LevelDB writes when it opens a folder, besides copies of its logs and its manifest. */
const openingBytes = 262_144
const writable = 2
const acknowledgedName = 'acknowledged'
const leastGrowth = 1_048_576

/** The folder of a database, as files underneath LevelDB. */
export class Disk {
  readonly reserve: Reserve
  readonly #files: FileSystem
  readonly #folder: string
  readonly #options: CheckOptions

  readonly #sizes: DatabaseSizes
  /** Bytes written to the database since it was last measured. */
  #unmeasured = 0
  #measuring: Promise<unknown> | undefined

  constructor(options: CheckOptions, sizes: DatabaseSizes) {
    this.#sizes = sizes
    this.#files = options.files
    this.#folder = options.folder
    this.#options = options
    this.reserve = new Reserve(options.files, options.folder)
  }

  /** Verifies the folder before it is opened. Returns a list of the repairs. */
  async check(): Promise<string[]> {
    const repaired = await checkFolder(this.#options)
    await this.reserve.find()
    await this.measure()
    return repaired
  }

  /**
   * Notes that this many bytes will be written to the database. The database is measured in the background from time to
   * time, and the reserve grows with it.
   */
  expect(bytes: number): void {
    this.#unmeasured += bytes
    if (this.#unmeasured <= Math.max(leastGrowth, this.reserve.wanted / 4)) return
    this.#measuring ??= this.measure().finally(() => {
      this.#measuring = undefined
    })
  }

  /** Resolves when nothing runs in the background. */
  async idle(): Promise<void> {
    await this.#measuring
    await this.reserve.idle()
  }

  /** Measures the database and sets the reserve. While the database is small, LevelDB may have to copy all of it. */
  async measure(): Promise<{ readonly unusedBytes: number }> {
    this.#unmeasured = 0
    try {
      const { bytes, unused } = await surveyFolder(this.#options)
      await this.reserve.want(Math.min(this.#sizes.reserve, bytes + leastGrowth))
      return { unusedBytes: unused.reduce((sum, { size }) => sum + size, 0) }
    } catch {
      // LevelDB was replacing the manifest at that moment, or the disk cannot be written to.
      return { unusedBytes: 0 }
    }
  }

  /** Verifies the logs before the folder is opened again. */
  async checkLogs(): Promise<string[]> {
    return await checkLogs(this.#options, await this.#files.readdir(this.#folder), 0)
  }

  /** The number of the last write that was acknowledged before the store was closed; 0 where it is not known. */
  async acknowledged(): Promise<number> {
    const found = await this.#files.readFile(`${this.#folder}/${acknowledgedName}`).catch(() => undefined)
    return Number(/^\d+(?=\n$)/.exec(new TextDecoder().decode(found))?.[0] ?? 0)
  }

  /**
   * Stores that number next to the database, because the log may lose its end without a trace. A full disk does not
   * prevent closing.
   */
  async acknowledge(sequence: number): Promise<void> {
    const path = `${this.#folder}/${acknowledgedName}`
    try {
      await this.#files.writeFile(`${path}.new`, `${sequence}\n`)
      await this.#files.rename(`${path}.new`, path)
    } catch {
      // The older number in the file is still a lower bound.
    }
  }

  /** Whether the folder can be opened again. If so, the reserve is released for it. */
  async makeRoom(): Promise<boolean> {
    try {
      await this.#files.access(this.#folder, writable)
      const { unused } = await surveyFolder(this.#options)
      const room = (await this.reserve.free()) + this.reserve.size + unused.reduce((sum, { size }) => sum + size, 0)
      // Opening copies only the logs. If even that may not fit, the database stays open for reading.
      if (room < (await this.#logBytes()) + openingBytes || !(await this.reserve.hasFiles(0, 1, true))) return false
      await this.reserve.release()
      return true
    } catch {
      return false
    }
  }

  /**
   * Deletes what a compaction left behind when it ran out of space: LevelDB would need space before it does that. Call
   * it only while the database is closed.
   */
  async removeUnused(): Promise<void> {
    const { unused } = await surveyFolder(this.#options)
    for (const { name } of unused) await this.#files.rm(`${this.#folder}/${name}`, { force: true })
  }

  /**
   * LevelDB may still complete the record of a failed write when it closes its log. This cuts off a record that ends
   * with `end`.
   */
  async forget(end: Uint8Array): Promise<void> {
    const logs = await this.#logs()
    const path = `${this.#folder}/${logs.at(-1)}`
    if (logs.length === 0) return
    const { records } = readLog(await this.#files.readFile(path))
    const record = records.find(({ bytes }) => equalBytes(bytes.subarray(-end.length), end))
    if (record !== undefined) await this.#files.truncate(path, record.start)
  }

  async #logBytes(): Promise<number> {
    let bytes = 0
    for (const name of await this.#logs()) bytes += (await this.#files.stat(`${this.#folder}/${name}`)).size
    return bytes
  }

  async #logs(): Promise<string[]> {
    const names = await this.#files.readdir(this.#folder)
    return names
      .filter((name) => name.endsWith('.log'))
      .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
  }
}
