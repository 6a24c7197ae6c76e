import * as dagCbor from '@ipld/dag-cbor'
import { setImmediate as turn } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

export interface CarOptions {
  /** The most bytes of the whole file. Default 1 GiB. */
  readonly maxBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The largest block in bytes. Those of a ledger's export are far smaller. */
const maxBlockBytes = 4 * 1_024 * 1_024
const maxHeaderBytes = 65_536
/** A smaller block (bytes) is neither an entry nor a part of an index. An export has at most one such block. */
const smallBytes = 48
const maxSmall = 1_000
const maxBlocks = 2_000_000
/** After this long (ms), reading gives the event loop a turn. */
const sliceMs = 10

/** Where and why the blocks of a CAR file end early. */
export interface Damage {
  readonly reason: string
  /** The offset of the first incomplete block. */
  readonly at: number
  /** The number of complete blocks before it. */
  readonly blocks: number
  /** The available part of a truncated block, without its CID. */
  readonly rest?: Uint8Array | undefined
}

/**
 * A CAR file (version 1, or the data of version 2) of unknown origin. It is read block by block as it arrives, never as
 * a whole. Blocks are not verified here. A truncated or damaged file yields its complete blocks; `damage` then says
 * where and why it ended.
 */
export class CarFile {
  readonly roots: readonly CID[]
  readonly #reader: ByteReader
  readonly #signal: AbortSignal | undefined
  readonly #end: number
  #damage: Damage | undefined

  /** Reads the header of the file. Throws `INVALID_CONTENT` if it is not a CAR file. The caller closes it. */
  static async open(source: AsyncIterable<Uint8Array>, options: CarOptions = {}): Promise<CarFile> {
    const reader = new ByteReader(limited(source, options))
    try {
      const { roots, end } = await readHead(reader)
      return new CarFile(roots, reader, end, options.signal)
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  private constructor(roots: readonly CID[], reader: ByteReader, end: number, signal: AbortSignal | undefined) {
    this.roots = roots
    this.#reader = reader
    this.#end = end
    this.#signal = signal
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }

  /** Set when `blocks` has ended early. */
  get damage(): Damage | undefined {
    return this.#damage
  }

  /** The blocks in the order of the file; call it once. Throws `INVALID_CONTENT` for blocks that no ledger has. */
  async *blocks(): AsyncGenerator<Block> {
    const reader = this.#reader
    let small = 0
    let blocks = 0
    let started = performance.now()
    for (; ; blocks++) {
      const at = reader.offset
      if (at >= this.#end) return
      if (performance.now() - started > sliceMs) {
        await turn()
        this.#signal?.throwIfAborted()
        started = performance.now()
      }
      const block = await this.#next(at, blocks)
      if (block === undefined) return
      if (block.bytes.byteLength < smallBytes && ++small > maxSmall)
        throw noCar(`it has more than ${maxSmall} blocks of fewer than ${smallBytes} bytes, which no ledger has`)
      if (blocks >= maxBlocks) throw noCar(`it has more than ${maxBlocks} blocks`)
      yield block
    }
  }

  async #next(at: number, blocks: number): Promise<Block | undefined> {
    const reader = this.#reader
    const stop = (reason: string, rest?: Uint8Array): undefined => {
      this.#damage = { reason, at, blocks, rest }
    }
    const length = await reader.varint()
    if (length === 'end') return undefined
    if (length === 'cut') return stop('it is cut short')
    if (length === 'wrong' || length > maxBlockBytes || length === 0) return stop('what stands there is no block')
    const section = await reader.take(length)
    const bytes = section ?? reader.rest()
    let head: [cid: CID, rest: Uint8Array]
    try {
      head = CID.decodeFirst(bytes)
    } catch {
      return stop(section === undefined ? 'it is cut short' : 'what stands there is no block')
    }
    if (section === undefined) return stop('it is cut short', head[1])
    return { cid: head[0], bytes: head[1] }
  }
}

/** The roots, and the offset at which the blocks end. */
async function readHead(reader: ByteReader): Promise<{ roots: readonly CID[]; end: number }> {
  let header = await readHeader(reader)
  let end = Infinity
  if (header.version === 2) {
    // 16 bytes of characteristics, then three numbers: the offset of the data, its size, the offset of the index.
    const fixed = await reader.take(40)
    if (fixed === undefined) throw noCar('its head is cut short')
    const view = new DataView(fixed.buffer, fixed.byteOffset)
    const start = Number(view.getBigUint64(16, true))
    end = start + Number(view.getBigUint64(24, true))
    if (start < reader.offset || !(await reader.skip(start - reader.offset))) throw noCar('it has no data')
    header = await readHeader(reader)
  }
  if (header.version !== 1) throw noCar(`it is of version ${String(header.version)}`)
  return { roots: header.roots, end }
}

async function readHeader(reader: ByteReader): Promise<{ version: unknown; roots: readonly CID[] }> {
  const length = await reader.varint()
  if (typeof length !== 'number' || length === 0 || length > maxHeaderBytes) throw noCar('it has no head')
  const bytes = await reader.take(length)
  if (bytes === undefined) throw noCar('its head is cut short')
  let value: unknown
  try {
    value = dagCbor.decode(bytes)
  } catch (error) {
    throw noCar('its head is no DAG-CBOR', error)
  }
  const { version, roots = [] } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const cids = Array.isArray(roots) ? roots.map((root) => CID.asCID(root)) : [null]
  if (cids.includes(null)) throw noCar('its roots are no CIDs')
  return { version, roots: cids as CID[] }
}

async function* limited(source: AsyncIterable<Uint8Array>, options: CarOptions): AsyncGenerator<Uint8Array> {
  const { maxBytes = 1_024 ** 3, signal } = options
  let size = 0
  for await (const chunk of source) {
    signal?.throwIfAborted()
    size += chunk.byteLength
    if (size > maxBytes) throw new LedgerError('TOO_LARGE', `a CAR file has at most ${maxBytes} bytes`)
    yield chunk
  }
}

function noCar(reason: string, cause?: unknown): LedgerError {
  return new LedgerError('INVALID_CONTENT', `this is no CAR file of a ledger: ${reason}`, cause)
}
