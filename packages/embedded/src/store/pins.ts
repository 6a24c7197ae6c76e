import type { Pin } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { textOf } from '../bytes.ts'
import type { Failures } from '../failures.ts'
import type { Change, Table } from './table.ts'
import { walk } from './walk.ts'

/** Keys of the table: `r` and the multihash for a pin, `b` and the multihash for the number of pins that hold a block. */
const rootPrefix = 0x72
const blockPrefix = 0x62

/**
 * Pins, and for each block how many of them hold it: so that `delete` and `gc` answer from one look-up, whatever the size
 * of what is pinned. Root and counts change in one write.
 */
export class Pins {
  readonly #failures: Failures
  readonly #table: Table
  #last: Promise<unknown> = Promise.resolve()
  /** Blocks that walks under way have come across: they are held before they are counted. */
  readonly #walking = new Set<Set<string>>()

  constructor(failures: Failures, table: Table) {
    this.#failures = failures
    this.#table = table
  }

  /**
   * Holds the block, or everything below it. `load` gets a block from wherever it is and stores it; before it runs,
   * the block is already safe from `delete` and `gc`.
   */
  async add(root: CID, recursive: boolean, load: (cid: CID) => Promise<Uint8Array>): Promise<void> {
    const held = new Set<string>()
    this.#walking.add(held)
    try {
      const existing = await this.#find(root)
      if (existing !== undefined && (existing.recursive || !recursive)) return
      const keys = new Map<string, Uint8Array>()
      const hold = async (cid: CID): Promise<Uint8Array> => {
        const key = textOf(cid.multihash.bytes)
        held.add(key)
        keys.set(key, cid.multihash.bytes)
        return await load(cid)
      }
      await (recursive ? walk(this.#failures, root, hold) : hold(root))
      await this.#alone(async () => {
        // Another pin of the same root may have come first.
        const now = await this.#find(root)
        if (now !== undefined && (now.recursive || !recursive)) return
        const changes = await this.#count(keys.values(), 1)
        // The direct pin that is replaced held the root once; the new one does so, too.
        if (now !== undefined) changes.delete(textOf(root.multihash.bytes))
        await this.#table.write([...changes.values(), { key: rootKey(root), value: encodeRoot(root, recursive) }])
      })
    } finally {
      this.#walking.delete(held)
    }
  }

  /** `load` reads from the own store. */
  async remove(root: CID, load: (cid: CID) => Promise<Uint8Array | undefined>): Promise<void> {
    await this.#alone(async () => {
      const existing = await this.#find(root)
      if (existing === undefined) return
      const keys = new Map<string, Uint8Array>()
      const visit = async (cid: CID): Promise<Uint8Array> => {
        keys.set(textOf(cid.multihash.bytes), cid.multihash.bytes)
        const bytes = await load(cid)
        if (bytes === undefined) throw new Error(`the pinned block ${cid.toString()} is not in the store`)
        return bytes
      }
      await (existing.recursive ? walk(this.#failures, existing.cid, visit) : visit(existing.cid))
      const changes = await this.#count(keys.values(), -1)
      await this.#table.write([...changes.values(), { key: rootKey(root), value: undefined }])
    })
  }

  async *list(): AsyncGenerator<Pin, void, undefined> {
    for await (const key of this.#table.keys()) {
      if (key[0] !== rootPrefix) continue
      const value = await this.#table.get(key)
      if (value !== undefined) yield decodeRoot(value)
    }
  }

  /** Whether a pin holds the block, or is about to. */
  async holds(multihash: Uint8Array): Promise<boolean> {
    return this.isWalked(multihash) || (await this.#table.has(blockKey(multihash)))
  }

  /** Whether a pin that is under way has come across the block. */
  isWalked(multihash: Uint8Array): boolean {
    if (this.#walking.size === 0) return false
    const key = textOf(multihash)
    for (const held of this.#walking) if (held.has(key)) return true
    return false
  }

  async #find(root: CID): Promise<Pin | undefined> {
    const value = await this.#table.get(rootKey(root))
    return value === undefined ? undefined : decodeRoot(value)
  }

  async #count(multihashes: Iterable<Uint8Array>, step: 1 | -1): Promise<Map<string, Change>> {
    const changes = new Map<string, Change>()
    for (const multihash of multihashes) {
      const key = blockKey(multihash)
      const value = await this.#table.get(key)
      const count = (value === undefined ? 0 : decodeCount(value)) + step
      changes.set(textOf(multihash), { key, value: count > 0 ? encodeCount(count) : undefined })
    }
    return changes
  }

  /** Counts are read and written by one change at a time. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {})
    return await turn
  }
}

function rootKey(cid: CID): Uint8Array {
  return prefixed(rootPrefix, cid.multihash.bytes)
}

function blockKey(multihash: Uint8Array): Uint8Array {
  return prefixed(blockPrefix, multihash)
}

function prefixed(prefix: number, bytes: Uint8Array): Uint8Array {
  const key = new Uint8Array(bytes.length + 1)
  key[0] = prefix
  key.set(bytes, 1)
  return key
}

function encodeRoot(cid: CID, recursive: boolean): Uint8Array {
  return prefixed(recursive ? 1 : 0, cid.bytes)
}

function decodeRoot(value: Uint8Array): Pin {
  return { cid: CID.decode(value.slice(1)), recursive: value[0] === 1 }
}

function encodeCount(count: number): Uint8Array {
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, count)
  return value
}

function decodeCount(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0)
}
