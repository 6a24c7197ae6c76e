import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { Block } from '@p2pl/core/backend'
import { isP2plError } from '@p2pl/core/backend'
import { eitherSignal, orAborted } from './abort.ts'
import { maxBlockBytes } from './limits.ts'
import type { Engine } from './engine.ts'
import { failure } from './errors.ts'
import { hashes, verifiable } from './hashes.ts'
import { multipart } from './rpc/multipart.ts'
import type { LibraryCallKind } from './rpc/client.ts'

const codecNames: ReadonlyMap<number, string> = new Map([
  [0x51, 'cbor'],
  [0x55, 'raw'],
  [0x70, 'dag-pb'],
  [0x71, 'dag-cbor'],
  [0x0129, 'dag-json'],
  [0x0200, 'json']
])

const batchBytes = 8 * 1024 * 1024
const batchBlocks = 2048
const batchesAtOnce = 2
// The daemon takes the parts of one request one after the other.
const requestsOfBatch = 4
const minPartsOfRequest = 4

const puttingOne: LibraryCallKind = { operation: 'blocks.put', lane: 'store' }
const puttingMany: LibraryCallKind = { operation: 'blocks.putMany', lane: 'store' }

/** Stores blocks, many in one request. */
export class BlockWriter {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async put(block: Block, signal: AbortSignal | undefined): Promise<void> {
    await this.#putOne(puttingOne, checked(puttingOne.operation, block), signal)
  }

  async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, signal: AbortSignal | undefined): Promise<void> {
    const { operation } = puttingMany
    const running = new Set<Promise<void>>()
    let failed: unknown
    const launch = async (batch: Block[]): Promise<void> => {
      while (running.size >= batchesAtOnce) await Promise.race(running)
      if (failed !== undefined) throw failed
      const done: Promise<void> = this.#putBatch(batch, signal)
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

  /**
   * Not by `dag/import`, although that takes half the time: it tells Bitswap nothing, and others who wait for a block
   * would go on waiting.
   */
  async #putBatch(batch: readonly Block[], signal: AbortSignal | undefined): Promise<void> {
    for (const blocks of Map.groupBy(batch, kindOf).values()) {
      const size = Math.max(minPartsOfRequest, Math.ceil(blocks.length / requestsOfBatch))
      const groups: Block[][] = []
      for (let from = 0; from < blocks.length; from += size) groups.push(blocks.slice(from, from + size))
      const results = await Promise.allSettled(groups.map(async (group) => await this.#putParts(group, signal)))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    }
  }

  async #putOne(kind: LibraryCallKind, block: Block, signal: AbortSignal | undefined): Promise<void> {
    const key = await this.#engine.rpc.call(
      kind,
      signal,
      // Not "format: dag-cbor": whatever it fails with, the library would call again with another format.
      async (kubo, options) => await kubo.block.put(block.bytes, { ...options, ...formatOf(block.cid) })
    )
    checkKey(kind.operation, block, key.toString())
  }

  /**
   * Not by the library, which sends one block a request: five times as long for a thousand of 300 bytes, with ten times
   * the work in this process.
   */
  async #putParts(blocks: readonly Block[], signal: AbortSignal | undefined): Promise<void> {
    const [first] = blocks
    if (first === undefined) return
    if (blocks.length === 1) return await this.#putOne(puttingMany, first, signal)
    const { operation } = puttingMany
    const answer = await this.#engine.rpc.request(puttingMany, {
      path: 'block/put',
      query: new URLSearchParams(formatOf(first.cid)),
      body: multipart(blocks.map(({ bytes }) => bytes)),
      signal
    })
    let stored = 0
    for await (const { Key: key } of answer.objects()) {
      const block = blocks[stored++]
      if (block === undefined) break
      checkKey(operation, block, String(key))
    }
    if (stored !== blocks.length)
      throw failure('PROTOCOL', operation, `the daemon says that it stored ${stored} of ${blocks.length} blocks`)
  }
}

function checkKey(operation: string, { cid }: Block, key: string): void {
  if (key === storedAs(cid)) return
  throw failure(
    'INVALID_CONTENT',
    operation,
    `the bytes do not hash to ${cid.toString()}: the daemon stored them as ${key.slice(0, 100)}`
  )
}

/** Blocks of one kind can go in one request. */
function kindOf({ cid }: Block): string {
  return `${cid.version}/${cid.multihash.code}/${cid.code}`
}

/**
 * The daemon keys its store by multihash, but tells those who wait for a block by its CID: it has to be stored under the
 * very CID that they ask for. Codecs that it does not know are stored as raw.
 */
function formatOf(cid: CID): Record<string, string> {
  if (cid.version === 0) return { format: 'v0' }
  return {
    'cid-codec': codecNames.get(cid.code) ?? 'raw',
    mhtype: hashes.get(cid.multihash.code)?.name ?? '',
    mhlen: '-1'
  }
}

function storedAs(cid: CID): string {
  return cid.version === 0 || codecNames.has(cid.code)
    ? cid.toString()
    : CID.createV1(raw.code, cid.multihash).toString()
}

function checked(operation: string, block: Block): Block {
  const cid = verifiable(operation, block.cid)
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
