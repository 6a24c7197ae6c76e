import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { checkBlockCid } from './cids.ts'
import type { Door } from './door.ts'
import type { Engine } from './engine.ts'
import { failure } from './errors.ts'
import type { Fetcher } from './fetcher.ts'
import type { Pins } from './pins.ts'
import { textOf, type Change } from './stores.ts'

/** What Bitswap carries between any two implementations. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/** `putMany` hands the store this much at a time. */
const batchBytes = 4 * 1024 * 1024
const batchBlocks = 1_024
const gcBatch = 256

/** What blocks need besides the engine. */
export interface BlockParts {
  readonly fetcher: Fetcher
  readonly pins: Pins
}

/** Blocks in the own store, by Bitswap to and from others. */
export class Blocks implements BlockTransport {
  readonly #door: Door
  readonly #parts: () => BlockParts
  /** Blocks that came while a `gc` is under way: it must not take what it has not seen. */
  readonly #collecting = new Set<Set<string>>()

  constructor(door: Door, parts: () => BlockParts) {
    this.#door = door
    this.#parts = parts
  }

  async get(cid: CID, options?: GetBlockOptions): Promise<Uint8Array> {
    const operation = 'blocks.get'
    const own = await this.#door.quick(operation, options, async ({ stores }) => {
      const key = checkBlockCid(operation, cid)
      return (await stores.blocks.get(key.multihash.bytes)) ?? key
    })
    if (own instanceof Uint8Array) return own
    if (options?.local === true)
      throw failure({ code: 'NOT_FOUND', operation, message: `the block ${own.toString()} is not in the own store` })
    return await this.#door.call(operation, options, (engine, signal) => this.#fetch(engine, own, options, signal))
  }

  async put(block: Block, options?: AbortOptions): Promise<void> {
    await this.#door.quick('blocks.put', options, (engine) => this.#store(engine, [checkBlock('blocks.put', block)]))
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
        batch.push(checkBlock(operation, block))
        bytes += block.bytes.byteLength
        if (bytes >= batchBytes || batch.length >= batchBlocks) await flush()
      }
      await flush()
      await writing
    })
  }

  async has(cid: CID, options?: AbortOptions): Promise<boolean> {
    return await this.#door.quick('blocks.has', options, ({ stores }) =>
      stores.blocks.has(checkBlockCid('blocks.has', cid).multihash.bytes)
    )
  }

  async delete(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.delete'
    await this.#door.quick(operation, options, async ({ stores }) => {
      const key = checkBlockCid(operation, cid).multihash.bytes
      const { pins } = this.#parts()
      // A pin that starts during the first look-up is seen by the second, which does not wait.
      if ((await pins.holds(key)) || pins.isWalked(key))
        throw failure({ code: 'PINNED', operation, message: `a pin holds the block ${cid.toString()}: unpin first` })
      await stores.blocks.write([{ key, value: undefined }])
    })
  }

  async pin(cid: CID, options?: PinOptions): Promise<void> {
    const operation = 'blocks.pin'
    await this.#door.call(operation, options, async (engine, signal) => {
      const root = checkBlockCid(operation, cid)
      await this.#parts().pins.add(root, options?.recursive ?? true, async (each) => {
        signal.throwIfAborted()
        const key = checkBlockCid(operation, each)
        return (
          (await engine.stores.blocks.get(key.multihash.bytes)) ?? (await this.#fetch(engine, key, { root }, signal))
        )
      })
    })
  }

  async unpin(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'blocks.unpin'
    await this.#door.call(operation, options, async ({ stores }) => {
      await this.#parts().pins.remove(checkBlockCid(operation, cid), (each) => stores.blocks.get(each.multihash.bytes))
    })
  }

  pins(options?: AbortOptions): AsyncIterable<Pin> {
    return this.#door.iterate('blocks.pins', options, () => this.#parts().pins.list())
  }

  gc(options?: AbortOptions): AsyncIterable<CID> {
    return this.#door.iterate('blocks.gc', options, (engine, signal) => this.#collect(engine, signal))
  }

  async *#collect({ stores }: Engine, signal: AbortSignal): AsyncGenerator<CID, void, undefined> {
    const { pins } = this.#parts()
    const fresh = new Set<string>()
    this.#collecting.add(fresh)
    try {
      let candidates: Uint8Array[] = []
      for await (const key of stores.blocks.keys()) {
        signal.throwIfAborted()
        if (await pins.holds(key)) continue
        candidates.push(key)
        if (candidates.length < gcBatch) continue
        yield* this.#remove(stores.blocks.write.bind(stores.blocks), candidates, pins, fresh)
        candidates = []
      }
      yield* this.#remove(stores.blocks.write.bind(stores.blocks), candidates, pins, fresh)
    } finally {
      this.#collecting.delete(fresh)
    }
  }

  async *#remove(
    write: (changes: readonly Change[]) => Promise<void>,
    candidates: readonly Uint8Array[],
    pins: Pins,
    fresh: ReadonlySet<string>
  ): AsyncGenerator<CID, void, undefined> {
    const held = await Promise.all(candidates.map((key) => pins.holds(key)))
    // From here to the write nothing waits: what was put or is being pinned is either seen or comes after.
    const doomed = candidates.filter((key, i) => held[i] === false && !fresh.has(textOf(key)) && !pins.isWalked(key))
    await write(doomed.map((key) => ({ key, value: undefined })))
    for (const key of doomed) yield CID.createV1(raw.code, Digest.decode(key))
  }

  async #fetch(
    engine: Engine,
    cid: CID,
    options: GetBlockOptions | undefined,
    signal: AbortSignal
  ): Promise<Uint8Array> {
    const bytes = await this.#parts().fetcher.fetch(cid, options?.providers, signal)
    await this.#store(engine, [{ cid, bytes }])
    return bytes
  }

  async #store({ stores, exchange }: Engine, blocks: readonly Block[]): Promise<void> {
    if (blocks.length === 0) return
    if (this.#collecting.size > 0)
      for (const { cid } of blocks) for (const fresh of this.#collecting) fresh.add(textOf(cid.multihash.bytes))
    await stores.blocks.write(blocks.map(({ cid, bytes }) => ({ key: cid.multihash.bytes, value: bytes })))
    exchange.notify(blocks)
  }
}

function checkBlock(operation: string, { cid, bytes }: Block): Block {
  if (!(bytes instanceof Uint8Array))
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'the bytes of a block are a Uint8Array' })
  if (bytes.byteLength > maxBlockBytes)
    throw failure({
      code: 'TOO_LARGE',
      operation,
      message: `a block has at most ${maxBlockBytes} bytes, not ${bytes.byteLength}`
    })
  return { cid: checkBlockCid(operation, cid), bytes }
}
