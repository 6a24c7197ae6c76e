import { CID } from 'multiformats/cid'
import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import { isP2plError, throwIfAborted } from '@p2pl/core/backend'
import { readCar } from './car.ts'
import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'
import { backendName, classify, failure, RpcStatusError } from './errors.ts'
import { maxBlockBytes } from './limits.ts'
import { verifiable } from './hashes.ts'
import { BlockWriter } from './put-blocks.ts'
import type { LibraryCallKind } from './rpc/client.ts'

const offline = { offline: true } as const
// Once it runs, a fetch ends by its caller's signal only: a block may turn up any time.
const getting: LibraryCallKind = { operation: 'blocks.get', lane: 'network', maxBytes: maxBlockBytes }
const gettingLocal: LibraryCallKind = { operation: 'blocks.get', lane: 'store', maxBytes: maxBlockBytes, params: offline }
const asking: LibraryCallKind = { operation: 'blocks.has', lane: 'store', params: offline }
const deleting: LibraryCallKind = { operation: 'blocks.delete', lane: 'store', answer: 'lines' }
const pinning: LibraryCallKind = { operation: 'blocks.pin', lane: 'network', answer: 'lines' }
const unpinning: LibraryCallKind = { operation: 'blocks.unpin', lane: 'store', answer: 'lines' }
const listingPins: LibraryCallKind = { operation: 'blocks.pins', lane: 'network', answer: 'lines' }
const collecting: LibraryCallKind = {
  operation: 'blocks.gc',
  lane: 'network',
  answer: 'lines',
  params: { 'stream-errors': true }
}
const exporting: LibraryCallKind = {
  operation: 'blocks.getDag',
  lane: 'network',
  answer: 'bytes',
  params: { progress: false }
}
const exportingLocal: LibraryCallKind = { ...exporting, params: { progress: false, ...offline } }

/** Blocks in the daemon's store, and by Bitswap from others. */
export class KuboBlocks implements BlockTransport {
  readonly #engine: Engine
  readonly #connections: Connections
  readonly #writer: BlockWriter

  constructor(engine: Engine, connections: Connections) {
    this.#engine = engine
    this.#connections = connections
    this.#writer = new BlockWriter(engine)
  }

  async get(cid: CID, options: GetBlockOptions = {}): Promise<Uint8Array> {
    const operation = 'blocks.get'
    const key = this.#key(operation, cid, options.signal)
    const local = options.local === true
    if (!local) this.#connections.hint(options.providers)
    return await this.#engine.rpc.call(
      local ? gettingLocal : getting,
      options.signal,
      async (kubo, library) => await kubo.block.get(key, library)
    )
  }

  async put(block: Block, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.put'
    this.#engine.check(operation, options.signal)
    await this.#writer.put(block, options.signal)
  }

  async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.putMany'
    this.#engine.check(operation, options.signal)
    await this.#writer.putMany(blocks, options.signal)
  }

  async has(cid: CID, options: AbortOptions = {}): Promise<boolean> {
    const operation = 'blocks.has'
    const key = this.#key(operation, cid, options.signal)
    try {
      await this.#engine.rpc.call(asking, options.signal, async (kubo, library) => await kubo.block.stat(key, library))
      return true
    } catch (error) {
      if (isP2plError(error, 'NOT_FOUND')) return false
      throw error
    }
  }

  async delete(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.delete'
    const key = this.#key(operation, cid, options.signal)
    await this.#refusePinnedAlias(operation, key, options.signal)
    const removed = this.#engine.rpc.each(deleting, options.signal, (kubo, library) => kubo.block.rm(key, library))
    for await (const { error } of removed) {
      if (error === undefined || error.message === '') continue
      const classified = classify(operation, new RpcStatusError(200, error.message))
      if (!isP2plError(classified, 'NOT_FOUND')) throw classified
    }
  }

  async pin(cid: CID, options: PinOptions = {}): Promise<void> {
    const operation = 'blocks.pin'
    const key = this.#key(operation, cid, options.signal)
    try {
      await this.#engine.rpc.call(
        pinning,
        options.signal,
        async (kubo, library) => await kubo.pin.add(key, { ...library, recursive: options.recursive ?? true })
      )
    } catch (error) {
      // A direct pin of what is pinned recursively: it is held already.
      if (!causedBy(error, /already pinned recursively/)) throw error
    }
  }

  async unpin(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.unpin'
    const key = this.#key(operation, cid, options.signal)
    await Promise.all(
      [key, ...aliases(key)].map(async (one) => {
        try {
          await this.#engine.rpc.call(
            unpinning,
            options.signal,
            async (kubo, library) => await kubo.pin.rm(one, library)
          )
        } catch (error) {
          if (!causedBy(error, /not pinned/)) throw error
        }
      })
    )
  }

  async *pins(options: AbortOptions = {}): AsyncGenerator<Pin, void, undefined> {
    const operation = 'blocks.pins'
    this.#engine.check(operation, options.signal)
    for (const type of ['recursive', 'direct'] as const) {
      const pins = this.#engine.rpc.each(listingPins, options.signal, (kubo, library) =>
        kubo.pin.ls({ ...library, type })
      )
      for await (const { cid } of pins) yield { cid, recursive: type === 'recursive' }
    }
  }

  async *gc(options: AbortOptions = {}): AsyncGenerator<CID, void, undefined> {
    const operation = 'blocks.gc'
    this.#engine.check(operation, options.signal)
    const collected = this.#engine.rpc.each(collecting, options.signal, (kubo, library) => kubo.repo.gc(library))
    for await (const { err, cid } of collected) {
      if (err != null && err.message !== '') throw classify(operation, new RpcStatusError(200, err.message))
      if (cid == null) throw failure('PROTOCOL', operation, 'the daemon collected something that has no CID')
      yield cid
    }
  }

  async *getDag(root: CID, options: GetBlockOptions = {}): AsyncGenerator<Block, void, undefined> {
    const operation = 'blocks.getDag'
    const key = this.#key(operation, root, options.signal)
    const local = options.local === true
    if (!local) this.#connections.hint(options.providers)
    const chunks = this.#engine.rpc.each(local ? exportingLocal : exporting, options.signal, (kubo, library) =>
      kubo.dag.export(key, library)
    )
    yield* readCar(operation, chunks, maxBlockBytes)
  }

  /** The daemon keeps pins by CID but blocks by multihash: a pin under another CID of the same block holds it, too. */
  async #refusePinnedAlias(operation: string, cid: CID, signal: AbortSignal | undefined): Promise<void> {
    await Promise.all(
      aliases(cid).map(async (other) => {
        try {
          const pins = this.#engine.rpc.each(deleting, signal, (kubo, library) =>
            kubo.pin.ls({ ...library, paths: other, type: 'all' })
          )
          for await (const pin of pins) void pin
        } catch (error) {
          if (causedBy(error, /not pinned/)) return
          throw error
        }
        throw failure('PINNED', operation, `${cid.toString()} is pinned as ${other.toString()}`)
      })
    )
  }

  #key(operation: string, cid: CID, signal: AbortSignal | undefined): CID {
    this.#engine.check(operation, signal)
    throwIfAborted(operation, signal, backendName)
    return verifiable(operation, cid)
  }
}

/** Other CIDs by which the same block may be pinned: version 0 and the codecs in use. */
function aliases(cid: CID): CID[] {
  const { multihash } = cid
  const all: CID[] = [0x55, 0x70, 0x71, 0x0129].map((codec) => CID.createV1(codec, multihash))
  if (multihash.code === 0x12 && multihash.size === 32) all.push(CID.create(0, 0x70, multihash))
  return all.filter((other) => !other.equals(cid))
}

function causedBy(error: unknown, pattern: RegExp): boolean {
  const cause = isP2plError(error) ? error.cause : undefined
  return cause instanceof RpcStatusError && pattern.test(cause.message)
}
