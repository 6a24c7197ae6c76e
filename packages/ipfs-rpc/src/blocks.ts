import { CID } from 'multiformats/cid'
import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import { isP2plError, throwIfAborted } from '@p2pl/core/backend'
import { readCar } from './car.ts'
import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'
import { backendName, classify, failure, RpcStatusError } from './errors.ts'
import { maxBlockBytes } from './limits.ts'
import type { CallOptions } from './rpc/client.ts'
import { BlockWriter, hashNames } from './put-blocks.ts'

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
    const bytes = await this.#engine.rpc.bytes(
      'block/get',
      { arg: key, offline: local ? true : undefined },
      // Once it runs, a fetch ends by its caller's signal only: a block may turn up any time.
      { operation, signal: options.signal, lane: local ? 'store' : 'network', maxBytes: maxBlockBytes }
    )
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  async put(block: Block, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.put'
    this.#engine.check(operation, options.signal)
    await this.#writer.put(operation, block, options.signal)
  }

  async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.putMany'
    this.#engine.check(operation, options.signal)
    await this.#writer.putMany(operation, blocks, options.signal)
  }

  async has(cid: CID, options: AbortOptions = {}): Promise<boolean> {
    const operation = 'blocks.has'
    const key = this.#key(operation, cid, options.signal)
    try {
      await this.#engine.rpc.bytes(
        'block/stat',
        { arg: key, offline: true },
        { operation, signal: options.signal, lane: 'store' }
      )
      return true
    } catch (error) {
      if (isP2plError(error, 'NOT_FOUND')) return false
      throw error
    }
  }

  async delete(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.delete'
    const key = this.#key(operation, cid, options.signal)
    const call = { operation, signal: options.signal, lane: 'store' } as const
    await this.#refusePinnedAlias(operation, cid, call)
    for await (const line of this.#engine.rpc.lines('block/rm', { arg: key }, call)) {
      const error = typeof line['Error'] === 'string' ? line['Error'] : ''
      if (error === '') continue
      const classified = classify(operation, new RpcStatusError(200, error))
      if (!isP2plError(classified, 'NOT_FOUND')) throw classified
    }
  }

  async pin(cid: CID, options: PinOptions = {}): Promise<void> {
    const operation = 'blocks.pin'
    const key = this.#key(operation, cid, options.signal)
    try {
      await this.#engine.rpc.bytes(
        'pin/add',
        { arg: key, recursive: options.recursive ?? true },
        { operation, signal: options.signal, lane: 'network' }
      )
    } catch (error) {
      // A direct pin of what is pinned recursively: it is held already.
      if (!causedBy(error, /already pinned recursively/)) throw error
    }
  }

  async unpin(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'blocks.unpin'
    const key = this.#key(operation, cid, options.signal)
    const call = { operation, signal: options.signal, lane: 'store' } as const
    await Promise.all(
      [key, ...aliases(cid)].map(async (arg) => {
        try {
          await this.#engine.rpc.bytes('pin/rm', { arg }, call)
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
      const call = { operation, signal: options.signal, lane: 'network' } as const
      for await (const line of this.#engine.rpc.lines('pin/ls', { type, stream: true }, call))
        yield { cid: parseCid(operation, line['Cid']), recursive: type === 'recursive' }
    }
  }

  async *gc(options: AbortOptions = {}): AsyncGenerator<CID, void, undefined> {
    const operation = 'blocks.gc'
    this.#engine.check(operation, options.signal)
    const call = { operation, signal: options.signal, lane: 'network' } as const
    for await (const line of this.#engine.rpc.lines('repo/gc', { 'stream-errors': true }, call)) {
      const error = line['Error']
      if (typeof error === 'string' && error !== '') throw classify(operation, new RpcStatusError(200, error))
      yield parseCid(operation, (line['Key'] as { '/'?: unknown } | undefined)?.['/'])
    }
  }

  async *getDag(root: CID, options: GetBlockOptions = {}): AsyncGenerator<Block, void, undefined> {
    const operation = 'blocks.getDag'
    const key = this.#key(operation, root, options.signal)
    const local = options.local === true
    if (!local) this.#connections.hint(options.providers)
    const call = await this.#engine.rpc.stream(
      'dag/export',
      { arg: key, progress: false, offline: local ? true : undefined },
      { operation, signal: options.signal, lane: 'network' }
    )
    yield* readCar(operation, call.chunks(), maxBlockBytes)
  }

  /** The daemon keeps pins by CID but blocks by multihash: a pin under another CID of the same block holds it, too. */
  async #refusePinnedAlias(operation: string, cid: CID, call: CallOptions): Promise<void> {
    await Promise.all(
      aliases(cid).map(async (arg) => {
        try {
          await this.#engine.rpc.bytes('pin/ls', { arg, type: 'all' }, call)
        } catch (error) {
          if (causedBy(error, /not pinned/)) return
          throw error
        }
        throw failure('PINNED', operation, `${cid.toString()} is pinned as ${arg}`)
      })
    )
  }

  #key(operation: string, cid: CID, signal: AbortSignal | undefined): string {
    this.#engine.check(operation, signal)
    throwIfAborted(operation, signal, backendName)
    const own = CID.asCID(cid)
    if (own === null) throw failure('INVALID_ARGUMENT', operation, `${operation} takes a CID`)
    if (!hashNames.has(own.multihash.code))
      throw failure(
        'UNSUPPORTED',
        operation,
        `the hash 0x${own.multihash.code.toString(16)} is not one that this backend declares (capabilities.blocks.hashes)`
      )
    return own.toString()
  }
}

/** Other CIDs by which the same block may be pinned: version 0 and the codecs in use. */
function aliases(cid: CID): string[] {
  const { multihash } = cid
  const all: CID[] = [0x55, 0x70, 0x71, 0x0129].map((codec) => CID.createV1(codec, multihash))
  if (multihash.code === 0x12 && multihash.size === 32) all.push(CID.create(0, 0x70, multihash))
  return all.filter((other) => !other.equals(cid)).map((other) => other.toString())
}

function parseCid(operation: string, text: unknown): CID {
  try {
    return CID.parse(text as string)
  } catch (cause) {
    throw failure('PROTOCOL', operation, `the daemon answered ${operation} with something that is not a CID`, { cause })
  }
}

function causedBy(error: unknown, pattern: RegExp): boolean {
  const cause = isP2plError(error) ? error.cause : undefined
  return cause instanceof RpcStatusError && pattern.test(cause.message)
}
