import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { textOf } from './bytes.ts'
import { checkBlockCid } from './cids.ts'
import type { Door } from './door.ts'
import type { Pins } from './store/pins.ts'
import type { Table } from './store/table.ts'
import { walkDag } from './store/walk.ts'

/** `putMany` hands the store this much at a time. */
const batchBytes = 4 * 1024 * 1024
const batchBlocks = 1_024
const gcBatch = 256

/** What the blocks of a backend are kept in. */
export interface BlockStores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
}

/** How blocks come from others and go to them. */
export interface Exchange<Engine> {
  readonly maxBlockBytes: number
  /** Multihash codes that blocks may be addressed by. */
  readonly hashes: readonly number[]
  /** Gets a block that is not stored here. Verifies it: what it gives is stored, and served on. */
  fetch(engine: Engine, cid: CID, options: GetBlockOptions | undefined, signal: AbortSignal): Promise<Uint8Array>
  /** Told of blocks that are stored from now on: somebody may wait for them. */
  stored(engine: Engine, blocks: readonly Block[]): void
}

/** Blocks in an own store, and by an exchange to and from others. */
export class Blocks<Engine extends { readonly stores: BlockStores }> implements BlockTransport {
  readonly #door: Door<Engine>
  readonly #exchange: Exchange<Engine>
  /** Blocks that came while a `gc` is under way: it must not take what it has not seen. */
  readonly #collecting = new Set<Set<string>>()

  constructor(door: Door<Engine>, exchange: Exchange<Engine>) {
    this.#door = door
    this.#exchange = exchange
  }

  async get(cid: CID, options?: GetBlockOptions): Promise<Uint8Array> {
    return await this.#get('blocks.get', cid, options)
  }

  async #get(operation: string, cid: CID, options: GetBlockOptions | undefined): Promise<Uint8Array> {
    const own = await this.#door.quick(operation, options, async ({ stores }) => {
      const key = this.#checkCid(operation, cid)
      return (await stores.blocks.get(key.multihash.bytes)) ?? key
    })
    if (own instanceof Uint8Array) return own
    if (options?.local === true)
      throw this.#door.failures.failure({
        code: 'NOT_FOUND',
        operation,
        message: `the block ${own.toString()} is not in the own store`
      })
    return await this.#door.call(operation, options, (engine, signal) => this.#fetch(engine, own, options, signal))
  }

  async put(block: Block, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.put'
    await this.#door.quick(operation, options, (engine) => this.#store(engine, [this.#checkBlock(operation, block)]))
  }

  async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.putMany'
    await this.#door.call(operation, options, async (engine, signal) => {
      let batch: Block[] = []
      let bytes = 0
      let writing = Promise.resolve()
      const flush = async (): Promise<void> => {
        // One batch is written while the next is filled.
        await writing
        writing = this.#store(engine, batch)
        writing.catch(() => {})
        batch = []
        bytes = 0
      }
      for await (const block of blocks) {
        signal.throwIfAborted()
        batch.push(this.#checkBlock(operation, block))
        bytes += block.bytes.byteLength
        if (bytes >= batchBytes || batch.length >= batchBlocks) await flush()
      }
      await flush()
      await writing
    })
  }

  async has(cid: CID, options?: AbortOptions): Promise<boolean> {
    const operation = 'blocks.has'
    return await this.#door.quick(operation, options, ({ stores }) =>
      stores.blocks.has(this.#checkCid(operation, cid).multihash.bytes)
    )
  }

  async delete(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.delete'
    await this.#door.quick(operation, options, async ({ stores: { blocks, pins } }) => {
      const key = this.#checkCid(operation, cid).multihash.bytes
      // A pin that starts during the first look-up is seen by the second, which does not wait.
      if ((await pins.holds(key)) || pins.isWalked(key))
        throw this.#door.failures.failure({
          code: 'PINNED',
          operation,
          message: `a pin holds the block ${cid.toString()}: unpin first`
        })
      await blocks.write([{ key, value: undefined }])
    })
  }

  async pin(cid: CID, options?: PinOptions): Promise<void> {
    const operation = 'blocks.pin'
    await this.#door.call(operation, options, async (engine, signal) => {
      const root = this.#checkCid(operation, cid)
      await engine.stores.pins.add(root, options?.recursive ?? true, async (each) => {
        signal.throwIfAborted()
        const key = this.#checkCid(operation, each)
        return (
          (await engine.stores.blocks.get(key.multihash.bytes)) ?? (await this.#fetch(engine, key, { root }, signal))
        )
      })
    })
  }

  async unpin(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.unpin'
    await this.#door.call(operation, options, async ({ stores: { blocks, pins } }) => {
      await pins.remove(this.#checkCid(operation, cid), (each) => blocks.get(each.multihash.bytes))
    })
  }

  pins(options?: AbortOptions): AsyncIterable<Pin> {
    return this.#door.iterate('blocks.pins', options, ({ stores }) => stores.pins.list())
  }

  gc(options?: AbortOptions): AsyncIterable<CID> {
    return this.#door.iterate('blocks.gc', options, ({ stores }, signal) => this.#collect(stores, signal))
  }

  getDag(root: CID, options?: GetBlockOptions): AsyncIterable<Block> {
    const operation = 'blocks.getDag'
    return this.#door.iterate(operation, options, (_engine, signal) => {
      const own = this.#checkCid(operation, root)
      return walkDag(this.#door.failures, operation, own, (cid) =>
        this.#get(operation, cid, { ...options, signal, root: own })
      )
    })
  }

  async *#collect({ blocks, pins }: BlockStores, signal: AbortSignal): AsyncGenerator<CID, void, undefined> {
    const fresh = new Set<string>()
    this.#collecting.add(fresh)
    try {
      let candidates: Uint8Array[] = []
      for await (const key of blocks.keys()) {
        signal.throwIfAborted()
        if (await pins.holds(key)) continue
        candidates.push(key)
        if (candidates.length < gcBatch) continue
        yield* remove(blocks, candidates, pins, fresh)
        candidates = []
      }
      yield* remove(blocks, candidates, pins, fresh)
    } finally {
      this.#collecting.delete(fresh)
    }
  }

  async #fetch(
    engine: Engine,
    cid: CID,
    options: GetBlockOptions | undefined,
    signal: AbortSignal
  ): Promise<Uint8Array> {
    const bytes = await this.#exchange.fetch(engine, cid, options, signal)
    await this.#store(engine, [{ cid, bytes }])
    return bytes
  }

  async #store(engine: Engine, blocks: readonly Block[]): Promise<void> {
    if (blocks.length === 0) return
    if (this.#collecting.size > 0)
      for (const { cid } of blocks) for (const fresh of this.#collecting) fresh.add(textOf(cid.multihash.bytes))
    await engine.stores.blocks.write(blocks.map(({ cid, bytes }) => ({ key: cid.multihash.bytes, value: bytes })))
    this.#exchange.stored(engine, blocks)
  }

  #checkCid(operation: string, cid: CID): CID {
    return checkBlockCid(this.#door.failures, operation, cid, this.#exchange.hashes)
  }

  #checkBlock(operation: string, { cid, bytes }: Block): Block {
    const { failure } = this.#door.failures
    const { maxBlockBytes } = this.#exchange
    if (!(bytes instanceof Uint8Array))
      throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'the bytes of a block are a Uint8Array' })
    if (bytes.byteLength > maxBlockBytes)
      throw failure({
        code: 'TOO_LARGE',
        operation,
        message: `a block has at most ${maxBlockBytes} bytes, not ${bytes.byteLength}`
      })
    return { cid: this.#checkCid(operation, cid), bytes }
  }
}

async function* remove(
  blocks: Table,
  candidates: readonly Uint8Array[],
  pins: Pins,
  fresh: ReadonlySet<string>
): AsyncGenerator<CID, void, undefined> {
  const held = await Promise.all(candidates.map((key) => pins.holds(key)))
  // From here to the write nothing waits: what was put or is being pinned is either seen or comes after.
  const doomed = candidates.filter((key, i) => held[i] === false && !fresh.has(textOf(key)) && !pins.isWalked(key))
  await blocks.write(doomed.map((key) => ({ key, value: undefined })))
  for (const key of doomed) yield CID.createV1(raw.code, Digest.decode(key))
}
