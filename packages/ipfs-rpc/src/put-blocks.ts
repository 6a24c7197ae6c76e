import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { Block } from '@p2pl/core/backend'
import { isP2plError } from '@p2pl/core/backend'
import { eitherSignal, orAborted } from './abort.ts'
import { writeCar } from './car.ts'
import { maxBlockBytes } from './limits.ts'
import type { Engine } from './engine.ts'
import { failure } from './errors.ts'
import { multipart } from './rpc/multipart.ts'

/** Multihash code to the name that the daemon knows it by. */
export const hashNames: ReadonlyMap<number, string> = new Map([
  [0x12, 'sha2-256'],
  [0x13, 'sha2-512'],
  [0x14, 'sha3-512'],
  [0x16, 'sha3-256']
])

const batchBytes = 8 * 1024 * 1024
const batchBlocks = 2048
const batchesAtOnce = 2
// Measured: one CAR import is never slower than so many calls of block/put.
const carFrom = 2

/** Stores blocks under their multihash: the daemon keys by it, so all are written as raw. */
export class BlockWriter {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async put(operation: string, block: Block, signal: AbortSignal | undefined): Promise<void> {
    await this.#putParts(operation, [checked(operation, block)], signal)
  }

  async putMany(
    operation: string,
    blocks: Iterable<Block> | AsyncIterable<Block>,
    signal: AbortSignal | undefined
  ): Promise<void> {
    const running = new Set<Promise<void>>()
    let failed: unknown
    const launch = async (batch: Block[]): Promise<void> => {
      while (running.size >= batchesAtOnce) await Promise.race(running)
      if (failed !== undefined) throw failed
      const done: Promise<void> = this.#putBatch(operation, batch, signal)
        .catch((error: unknown) => {
          failed ??= error
        })
        .finally(() => running.delete(done))
      running.add(done)
    }
    const either = eitherSignal(this.#engine, signal)
    try {
      let batch: Block[] = []
      let size = 0
      for await (const given of endsWith(operation, blocks, either)) {
        const block = checked(operation, given)
        batch.push(block)
        size += block.bytes.byteLength
        if (size < batchBytes && batch.length < batchBlocks) continue
        await launch(batch)
        batch = []
        size = 0
      }
      if (batch.length > 0) await launch(batch)
    } finally {
      await Promise.all(running)
    }
    if (failed !== undefined) throw failed
  }

  async #putBatch(operation: string, batch: Block[], signal: AbortSignal | undefined): Promise<void> {
    const first = batch[0]
    if (first === undefined) return
    if (batch.length < carFrom) {
      for (const block of batch) await this.#putParts(operation, [block], signal)
      return
    }
    const body = multipart(writeCar(asRaw(first.cid), batch.map(rawBlock)))
    const call = { operation, signal, lane: 'store', body } as const
    // No pin, no announcement: storing is all that is asked for.
    const params = { 'pin-roots': false, 'fast-provide-root': false, stats: true }
    let stored: unknown
    for await (const line of this.#engine.rpc.lines('dag/import', params, call))
      stored = (line['Stats'] as { BlockCount?: unknown } | undefined)?.BlockCount ?? stored
    if (stored !== batch.length)
      throw failure('PROTOCOL', operation, `the daemon says that it stored ${String(stored)} of ${batch.length} blocks`)
  }

  async #putParts(operation: string, [block]: [Block], signal: AbortSignal | undefined): Promise<void> {
    const mhtype = hashNames.get(block.cid.multihash.code)
    const answer = await this.#engine.rpc.json(
      'block/put',
      { 'cid-codec': 'raw', mhtype, mhlen: -1 },
      { operation, signal, lane: 'store', body: multipart([block.bytes]) }
    )
    if (answer['Key'] !== asRaw(block.cid).toString())
      throw failure(
        'INVALID_CONTENT',
        operation,
        `the bytes do not hash to ${block.cid.toString()}: the daemon stored them as ${String(answer['Key']).slice(0, 100)}`
      )
  }
}

function asRaw(cid: CID): CID {
  return CID.createV1(raw.code, cid.multihash)
}

function rawBlock({ cid, bytes }: Block): Block {
  return { cid: asRaw(cid), bytes }
}

function checked(operation: string, block: Block): Block {
  const cid = CID.asCID(block.cid)
  if (cid === null) throw failure('INVALID_ARGUMENT', operation, `${operation} takes blocks with a CID`)
  if (!hashNames.has(cid.multihash.code))
    throw failure(
      'UNSUPPORTED',
      operation,
      `the hash 0x${cid.multihash.code.toString(16)} is not one that this backend declares (capabilities.blocks.hashes)`
    )
  if (block.bytes.byteLength > maxBlockBytes)
    throw failure(
      'TOO_LARGE',
      operation,
      `a block has at most ${maxBlockBytes} bytes, this one has ${block.bytes.byteLength}`
    )
  return { cid, bytes: block.bytes }
}

/** The items of a source until it or the signal ends; what the source throws becomes the cause of a typed error. */
async function* endsWith<T>(
  operation: string,
  source: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let done = false
  try {
    for (;;) {
      const next = await orAborted(operation, nextOf(operation, iterator), signal)
      done = next.done === true
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // Not awaited: a source that gives nothing does not end soon either.
    if (!done) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

async function nextOf<T>(operation: string, iterator: Iterator<T> | AsyncIterator<T>): Promise<IteratorResult<T>> {
  try {
    return await iterator.next()
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    throw failure('INVALID_ARGUMENT', operation, `the source of the blocks failed: ${String(cause)}`, { cause })
  }
}
