import { checkFolder, checkLogs, type CheckOptions } from './check/folder.ts'
import { readLog } from './check/log.ts'
import type { FileSystem } from './node.ts'
import { Reserve } from './reserve.ts'

/** What LevelDB writes when it opens a folder, besides copies of its logs and its manifest. */
const openingBytes = 262_144
const writable = 2

/** The folder of a database, below LevelDB. */
export class Disk {
  readonly reserve: Reserve
  readonly #files: FileSystem
  readonly #folder: string
  readonly #options: CheckOptions

  /** `logBytes`: what LevelDB writes to a log before it begins another. */
  constructor(options: CheckOptions, logBytes: number) {
    this.#files = options.files
    this.#folder = options.folder
    this.#options = options
    this.reserve = new Reserve(options.files, options.folder, 2 * logBytes)
  }

  /** Verifies the folder before it is opened; gives what was repaired. */
  async check(): Promise<string[]> {
    return await checkFolder(this.#options)
  }

  /** Verifies the logs before the folder is opened again. */
  async checkLogs(): Promise<string[]> {
    return await checkLogs(this.#options, await this.#files.readdir(this.#folder), 0)
  }

  /** Whether the folder can be opened again. If so, the reserve is given up for it. */
  async makeRoom(): Promise<boolean> {
    try {
      await this.#files.access(this.#folder, writable)
      if ((await this.reserve.free()) + this.reserve.size < (await this.#reopeningBytes())) return false
      await this.reserve.release()
      return true
    } catch {
      return false
    }
  }

  /** LevelDB may yet complete the record of a write that failed when it closes its log: cuts a record off that ends so. */
  async forget(end: Uint8Array): Promise<void> {
    const logs = await this.#logs()
    const path = `${this.#folder}/${logs.at(-1)}`
    if (logs.length === 0) return
    const { records } = readLog(await this.#files.readFile(path))
    const record = records.find(({ bytes }) => equal(bytes.subarray(-end.length), end))
    if (record !== undefined) await this.#files.truncate(path, record.start)
  }

  async #reopeningBytes(): Promise<number> {
    let bytes = openingBytes
    const names = await this.#files.readdir(this.#folder)
    for (const name of names.filter((each) => /\.log$|^MANIFEST-/.test(each)))
      bytes += (await this.#files.stat(`${this.#folder}/${name}`)).size
    return bytes
  }

  async #logs(): Promise<string[]> {
    const names = await this.#files.readdir(this.#folder)
    return names
      .filter((name) => name.endsWith('.log'))
      .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
