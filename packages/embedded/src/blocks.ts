import {
  type Block,
  type BlockHooks,
  BoundedMap,
  bytesKey,
  type GetBlockOptions,
  type HookOptions,
  isLeaf,
  isP2plError,
  P2plError,
  type Pin,
  type PinOptions
} from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import type { FetchOptions } from './fetcher.ts'
import { Collection } from './store/collection.ts'
import { PinMeter } from './store/pin-meter.ts'
import type { Pins } from './store/pins.ts'
import type { Table } from './store/table.ts'
import { linksOfPinned } from './store/walk.ts'

const gcBatch = 256
const rememberedBlocks = 1_024
const identity = 0x00

export interface BlockParts {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** Gets a block from other peers, as `Fetcher.fetch` does: bytes that hash to the CID. */
  fetch(cid: CID, options: FetchOptions): Promise<Uint8Array>
  /** Called with newly stored blocks, because other peers may wait for them. */
  stored(blocks: readonly Block[]): void
}

/** The blocks of an engine without a block store: a local store with pins, and an exchange with other peers. */
export class StoredBlocks implements Required<BlockHooks> {
  readonly #parts: BlockParts
  /** For each running `gc`, the blocks that arrive meanwhile: it must not remove blocks that it has not seen. */
  readonly #collecting = new Set<Set<string>>()
  /** Blocks of others that are being written or were just written. */
  readonly #storing = new Map<string, Promise<void>>()
  readonly #came = new BoundedMap<string, true>(rememberedBlocks)

  constructor(parts: BlockParts) {
    this.#parts = parts
  }

  async get(cid: CID, options: GetBlockOptions): Promise<Uint8Array> {
    const own = options.remote === true ? undefined : await this.#ownOrComing(cid)
    if (own !== undefined) return own
    if (options.local === true) {
      const message = `the block ${cid.toString()} is not in the own store`
      throw new P2plError({ code: 'NOT_FOUND', message })
    }
    const bytes = await this.#parts.fetch(cid, options)
    await this.#storeFetched(cid, bytes).catch((error: unknown) => {
      // Even with a full disk, blocks of others can be read.
      if (!isP2plError(error, 'STORAGE')) throw error
    })
    return bytes
  }

  async putMany(blocks: readonly Block[]): Promise<void> {
    await this.#store(blocks)
  }

  async has(cid: CID): Promise<boolean> {
    return await this.#parts.blocks.has(cid.multihash.bytes)
  }

  async delete(cid: CID): Promise<void> {
    const { blocks, pins } = this.#parts
    const key = cid.multihash.bytes
    const length = await blocks.length(key)
    if (length === undefined && !(await blocks.has(key))) return
    // If a pin starts during the first look-up, the second one, which does not wait, sees it.
    if ((await pins.holds(key)) || pins.isWalked(key)) {
      const message = `a pin holds the block ${cid.toString()}: unpin first`
      throw new P2plError({ code: 'PINNED', message })
    }
    await blocks.write([{ key, value: undefined }])
    blocks.reclaim(key, key, length ?? 0)
  }

  async pin(root: CID, options: PinOptions): Promise<void> {
    const { signal, recursive = true, providers } = options
    const meter = new PinMeter(root, options)
    const visit = async (cid: CID): Promise<readonly CID[]> => {
      signal.throwIfAborted()
      if (cid.multihash.code === identity) return linksOfPinned(cid, cid.multihash.digest)
      const own = await this.#own(cid)
      const bytes = own ?? (await this.#parts.fetch(cid, { providers, root, signal }))
      if (own === undefined) await this.#store([{ cid, bytes: bytes as Uint8Array }])
      meter.add(typeof bytes === 'number' ? bytes : bytes.byteLength)
      return typeof bytes === 'number' || !recursive ? [] : linksOfPinned(cid, bytes)
    }
    await this.#parts.pins.add({ root, recursive, signal, visit })
  }

  async unpin(cid: CID): Promise<void> {
    await this.#parts.pins.remove(cid)
  }

  pins(): AsyncIterable<Pin> {
    return this.#parts.pins.list()
  }

  async *gc({ signal }: HookOptions): AsyncGenerator<CID, void, undefined> {
    const { blocks, pins } = this.#parts
    const fresh = new Set<string>()
    const collection = new Collection(blocks)
    this.#collecting.add(fresh)
    try {
      let batch: Uint8Array[] = []
      const collect = async (): Promise<CID[]> => {
        const held = await Promise.all(batch.map((key) => pins.holds(key)))
        // No `await` from here to the write: a block that is put or pinned now is either seen or comes after the write.
        const doomed = batch.filter((key, i) => held[i] === false && !fresh.has(bytesKey(key)) && !pins.isWalked(key))
        await blocks.write(doomed.map((key) => ({ key, value: undefined })))
        await collection.removed(batch, doomed.length)
        batch = []
        return doomed.map((key) => CID.createV1(raw.code, Digest.decode(key)))
      }
      for await (const key of blocks.keys()) {
        signal.throwIfAborted()
        if (batch.push(key) === gcBatch) yield* await collect()
      }
      yield* await collect()
      await blocks.sweep()
    } finally {
      this.#collecting.delete(fresh)
      collection.end()
    }
  }

  /** The bytes of a block that is stored here. For a leaf, which need not be read, only their number. */
  async #own(cid: CID): Promise<Uint8Array | number | undefined> {
    const { blocks } = this.#parts
    const key = cid.multihash.bytes
    return await (isLeaf(cid.code) ? blocks.length(key) : blocks.getSound(key))
  }

  /**
   * A block from the store, or one that arrived for another reader during the look-up: readers of the same content are
   * often close together.
   */
  async #ownOrComing(cid: CID): Promise<Uint8Array | undefined> {
    const key = cid.multihash.bytes
    const found = await this.#parts.blocks.getSound(key)
    if (found !== undefined) return found
    await this.#storing.get(bytesKey(key))?.catch(() => undefined)
    return this.#came.has(bytesKey(key)) ? await this.#parts.blocks.getSound(key) : undefined
  }

  /** Readers that received a block together write it once. */
  async #storeFetched(cid: CID, bytes: Uint8Array): Promise<void> {
    const key = bytesKey(cid.multihash.bytes)
    let storing = this.#storing.get(key)
    if (storing === undefined) {
      storing = this.#store([{ cid, bytes }])
        .then(() => this.#came.set(key, true))
        .finally(() => this.#storing.delete(key))
      this.#storing.set(key, storing)
    }
    await storing
  }

  async #store(blocks: readonly Block[]): Promise<void> {
    for (const fresh of this.#collecting) for (const { cid } of blocks) fresh.add(bytesKey(cid.multihash.bytes))
    await this.#parts.blocks.write(blocks.map(({ cid, bytes }) => ({ key: cid.multihash.bytes, value: bytes })))
    this.#parts.stored(blocks)
  }
}
