import { bytesKey, type Pin, KeyedQueue } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import {
  countKey,
  decodeCount,
  decodeList,
  decodePin,
  encodeCount,
  encodeList,
  encodePin,
  listKey,
  listName,
  nameOfOpen,
  openKey,
  openPrefix,
  rootKey,
  rootPrefix
} from './pin-records.ts'
import type { Change, Table } from './table.ts'
import { walk } from './walk.ts'

/** How many blocks of a list are written together. */
const partSize = 1_024
/** CIDs that contain their bytes themselves, and so have no block. */
const identity = 0x00

export interface PinRequest {
  readonly root: CID
  readonly recursive: boolean
  readonly signal: AbortSignal
  /**
   * Makes sure that the block is stored here, and returns its links. Until the pin is made, the block is safe from
   * `delete` and `gc`.
   */
  readonly visit: (cid: CID) => Promise<readonly CID[]>
}

/** Opens the pins of a table, and removes the remains of pins that were in progress when the process ended. */
export async function openPins(table: Table): Promise<Pins> {
  const pins = new Pins(table)
  await pins.clean()
  return pins
}

/**
 * Pins. Each pin has a list of the blocks that it holds, so that it can be removed without reading them. Each block has
 * a count of the lists that name it, so that `delete` and `gc` need a single look-up.
 */
export class Pins {
  readonly #table: Table
  /** One change of a pin at a time, and one change of counts. */
  readonly #queue = new KeyedQueue()
  /** Blocks that running pins have visited: they are held before they are counted. */
  readonly #walking = new Set<Set<string>>()
  readonly #adding = new Set<string>()

  constructor(table: Table) {
    this.#table = table
  }

  /** Resolves when the pin is made. Leaves no pin when it fails or its signal fires. */
  async add(request: PinRequest): Promise<void> {
    const { root, recursive, signal } = request
    const name = listName(root, recursive)
    await this.#queue.run(bytesKey(name), async () => {
      signal.throwIfAborted()
      const held = new Set<string>()
      const forget = (): void => {
        this.#walking.delete(held)
      }
      this.#walking.add(held)
      this.#adding.add(bytesKey(name))
      // From then on its caller may delete the blocks.
      signal.addEventListener('abort', forget, { once: true })
      try {
        const blocks = await this.#walk(request, held)
        const existing = await this.#find(root)
        if (existing === undefined || (recursive && !existing.recursive)) await this.#make(request, name, blocks)
      } finally {
        signal.removeEventListener('abort', forget)
        this.#adding.delete(bytesKey(name))
        forget()
      }
    })
  }

  /** Removes the pin, whether or not its blocks are here. */
  async remove(root: CID): Promise<void> {
    for (const recursive of [false, true]) {
      const name = bytesKey(listName(root, recursive))
      // A pin that is being made for the first time does not exist yet, and may take long.
      if (this.#adding.has(name) && (await this.#find(root))?.recursive !== recursive) continue
      await this.#queue.run(name, () => this.#unmake(root, recursive))
    }
  }

  async *list(): AsyncGenerator<Pin, void, undefined> {
    for await (const key of this.#table.keys(rootPrefix)) {
      const value = await this.#table.get(key)
      if (value !== undefined) yield decodePin(value)
    }
  }

  /** Whether a pin holds the block, or is about to hold it. */
  async holds(multihash: Uint8Array): Promise<boolean> {
    return this.isWalked(multihash) || (await this.#table.has(countKey(multihash)))
  }

  /** Whether a running pin has visited the block. */
  isWalked(multihash: Uint8Array): boolean {
    if (this.#walking.size === 0) return false
    const key = bytesKey(multihash)
    for (const held of this.#walking) if (held.has(key)) return true
    return false
  }

  /** Removes lists without a pin. What a full disk prevents now is tried again at the next start. */
  async clean(): Promise<void> {
    for await (const key of this.#table.keys(openPrefix)) {
      const name = nameOfOpen(key)
      await this.#queue.run(bytesKey(name), () => this.#clear(name)).catch(() => {})
    }
  }

  /** The multihashes of all blocks that the pin will hold. */
  async #walk({ root, recursive, signal, visit }: PinRequest, held: Set<string>): Promise<Uint8Array[]> {
    const blocks: Uint8Array[] = []
    const hold = async (cid: CID): Promise<readonly CID[]> => {
      const key = bytesKey(cid.multihash.bytes)
      if (!held.has(key) && cid.multihash.code !== identity) blocks.push(cid.multihash.bytes)
      held.add(key)
      return await visit(cid)
    }
    if (recursive) await walk(root, hold, signal)
    else await hold(root)
    signal.throwIfAborted()
    return blocks
  }

  async #make({ root, recursive, signal }: PinRequest, name: Uint8Array, blocks: readonly Uint8Array[]): Promise<void> {
    const open = openKey(name)
    const direct = listName(root, false)
    const replaces = recursive && (await this.#find(root)) !== undefined
    const made: Change[] = [
      { key: rootKey(root), value: encodePin({ cid: root, recursive }) },
      { key: open, value: undefined },
      ...(replaces ? [{ key: openKey(direct), value: new Uint8Array() }] : [])
    ]
    if (await this.#table.has(open)) await this.#clear(name)
    const last = Math.max(0, Math.ceil(blocks.length / partSize) - 1)
    if (last > 0) await this.#table.write([{ key: open, value: new Uint8Array() }])
    try {
      for (let part = 0; part <= last; part++) {
        signal.throwIfAborted()
        const some = blocks.slice(part * partSize, (part + 1) * partSize)
        const list = { key: listKey(name, part), value: encodeList(some) }
        await this.#count(some, 1, part === last ? [list, ...made] : [list])
      }
      signal.throwIfAborted()
    } catch (error) {
      await this.#unmake(root, recursive).catch(() => {})
      throw error
    }
    if (replaces) await this.#queue.run(bytesKey(direct), () => this.#clear(direct))
  }

  /** Removes the pin and its list, if they exist. */
  async #unmake(root: CID, recursive: boolean): Promise<void> {
    const name = listName(root, recursive)
    const open = { key: openKey(name), value: new Uint8Array() }
    if ((await this.#find(root))?.recursive === recursive)
      await this.#table.write([{ key: rootKey(root), value: undefined }, open], { frees: true })
    if (await this.#table.has(open.key)) await this.#clear(name)
  }

  /** Removes a list, part by part. */
  async #clear(name: Uint8Array): Promise<void> {
    for await (const key of this.#table.keys(listKey(name))) {
      const list = await this.#table.get(key)
      if (list !== undefined) await this.#count(decodeList(list), -1, [{ key, value: undefined }])
    }
    await this.#table.write([{ key: openKey(name), value: undefined }], { frees: true })
  }

  async #find(root: CID): Promise<Pin | undefined> {
    const value = await this.#table.get(rootKey(root))
    return value === undefined ? undefined : decodePin(value)
  }

  /** Counts blocks up or down, together with other changes. */
  async #count(multihashes: readonly Uint8Array[], step: 1 | -1, others: readonly Change[]): Promise<void> {
    await this.#queue.run('counts', async () => {
      const keys = multihashes.map(countKey)
      const counts = await Promise.all(keys.map((key) => this.#table.get(key)))
      const changes = keys.map((key, i): Change => {
        const count = decodeCount(counts[i]) + step
        return { key, value: count > 0 ? encodeCount(count) : undefined }
      })
      await this.#table.write([...changes, ...others], { frees: step < 0 })
    })
  }
}
