import { type FileSystem, makeFolder } from './node.ts'

/** A value of at least this size gets its own file. */
export const fileBytes = 262_144

/**
 * Large values in separate files next to the database. A value is written once instead of once per level, and its space
 * is free as soon as it is removed, even on a full disk. Each file has an entry in the database; a file without an
 * entry is left over.
 */
export class ValueFiles {
  readonly #files: FileSystem
  readonly #folder: string
  readonly #shards = new Set<string>()
  /**
   * Keys that are being written, by the name of their file. A file in this map is not left over, even if the database
   * does not know it yet.
   */
  readonly #putting = new Map<string, number>()
  readonly #removing = new Map<string, Promise<void>>()
  #temporary = 0

  constructor(files: FileSystem, store: string) {
    this.#files = files
    this.#folder = `${store}/values`
  }

  /** Finds out whether an earlier process left any files. */
  async find(): Promise<void> {
    const shards = await this.#files.readdir(this.#folder).catch(() => [])
    for (const shard of shards) this.#shards.add(shard)
  }

  /** Writes the files, then does the work that enters them in the database. */
  async put(values: ReadonlyMap<Uint8Array, Uint8Array>, sync: boolean, work: () => Promise<void>): Promise<void> {
    const names = [...values.keys()].map(nameOf)
    for (const name of names) {
      while (this.#removing.has(name)) await this.#removing.get(name)
      this.#putting.set(name, (this.#putting.get(name) ?? 0) + 1)
    }
    try {
      await Promise.all([...values].map(([key, value]) => this.#write(nameOf(key), value, sync)))
      if (sync)
        await Promise.all([...new Set(names.map(shardOf))].map((shard) => this.#sync(`${this.#folder}/${shard}`)))
      await work()
    } finally {
      for (const name of names) {
        const others = (this.#putting.get(name) ?? 1) - 1
        if (others > 0) this.#putting.set(name, others)
        else this.#putting.delete(name)
      }
    }
  }

  /** Returns `undefined` when there is no such file. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#files.readFile(this.#path(nameOf(key))).catch(unlessMissing)
  }

  async size(key: Uint8Array): Promise<number | undefined> {
    return (await this.#files.stat(this.#path(nameOf(key))).catch(unlessMissing))?.size
  }

  async remove(keys: readonly Uint8Array[]): Promise<void> {
    if (this.#shards.size > 0) await Promise.all(keys.map((key) => this.#remove(nameOf(key))))
  }

  /** Deletes files left over by a process that ended while it wrote. */
  async sweep(isKnown: (key: Uint8Array) => Promise<boolean>): Promise<void> {
    for (const shard of this.#shards) {
      for (const file of await this.#files.readdir(`${this.#folder}/${shard}`)) {
        const [name = '', temporary] = file.split('.')
        if (this.#putting.has(name)) continue
        if (temporary !== undefined) await this.#files.rm(`${this.#folder}/${shard}/${file}`, { force: true })
        else if (!(await isKnown(keyOf(name)))) await this.#remove(name)
      }
    }
  }

  async #write(name: string, value: Uint8Array, sync: boolean): Promise<void> {
    const path = this.#path(name)
    const temporary = `${path}.${this.#temporary++}`
    await this.#prepare(shardOf(name), sync)
    try {
      const file = await this.#files.open(temporary, 'w')
      try {
        await file.writeFile(value)
        if (sync) await file.sync()
      } finally {
        await file.close()
      }
      await this.#files.rename(temporary, path)
    } catch (error) {
      await this.#files.rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  async #prepare(shard: string, sync: boolean): Promise<void> {
    if (this.#shards.has(shard)) return
    await makeFolder(this.#files, `${this.#folder}/${shard}`)
    if (sync) await this.#sync(this.#folder)
    this.#shards.add(shard)
  }

  /** Makes the entries of a folder durable. Windows cannot open folders, and does not need this. */
  async #sync(folder: string): Promise<void> {
    const opened = await this.#files.open(folder, 'r').catch(() => undefined)
    try {
      await opened?.sync()
    } finally {
      await opened?.close()
    }
  }

  async #remove(name: string): Promise<void> {
    // A concurrent put is replacing the file.
    if (this.#putting.has(name)) return
    const removed = this.#files.rm(this.#path(name), { force: true }).finally(() => this.#removing.delete(name))
    this.#removing.set(name, removed)
    await removed
  }

  #path(name: string): string {
    return `${this.#folder}/${shardOf(name)}/${name}`
  }
}

function nameOf(key: Uint8Array): string {
  let name = ''
  for (const byte of key) name += byte.toString(16).padStart(2, '0')
  return name
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** The last byte of a key, which is evenly distributed where keys are hashes. */
function shardOf(name: string): string {
  return name.slice(-2)
}

function unlessMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === 'ENOENT') return undefined
  throw error
}
