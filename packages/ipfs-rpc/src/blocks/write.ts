import { type Block, BoundedMap, bytesKey, Slots } from '@p2pl/core/backend'
import { type CallKind, failure } from '@p2pl/kubo/rpc'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { RpcClient } from '../rpc/client.ts'
import { multipart } from './multipart.ts'

const codecNames: ReadonlyMap<number, string> = new Map([
  [0x51, 'cbor'],
  [0x55, 'raw'],
  [0x70, 'dag-pb'],
  [0x71, 'dag-cbor'],
  [0x0129, 'dag-json'],
  [0x0200, 'json']
])
const hashNames: ReadonlyMap<number, string> = new Map([
  [0x12, 'sha2-256'],
  [0x13, 'sha2-512']
])

// The daemon processes the parts of one request one after the other, so a call makes several requests at once, each
// with enough blocks.
const requestsOfCall = 4
const fewestBlocks = 4
const mostBlocks = 512
const mostBytes = 2 * 1024 * 1024
const requestsAtOnce = 8
const remembered = 65_536
/** For this long (ms) a stored block is remembered, so that its loss is noticed. */
const missedFor = 600_000

const putting: CallKind = { operation: 'blocks.putMany', lane: 'store' }

/** Stores blocks, many in one request. */
export class BlockWriter {
  readonly #rpc: RpcClient
  readonly #slots: Slots = new Slots(requestsAtOnce)
  /** Multihashes of the latest stored blocks, and when they were stored. */
  readonly #stored = new BoundedMap<string, number>(remembered)

  constructor(rpc: RpcClient) {
    this.#rpc = rpc
  }

  async putMany(blocks: readonly Block[], signal?: AbortSignal): Promise<void> {
    let failed = false
    const requests = [...Map.groupBy(blocks, kindOf).values()].flatMap(inRequests).map(async (part) => {
      await this.#slots.run(async () => {
        if (failed) return
        try {
          await this.#put(part, signal)
        } catch (error) {
          failed = true
          throw error
        }
      }, signal)
    })
    const rejected = (await Promise.allSettled(requests)).find((result) => result.status === 'rejected')
    if (rejected !== undefined) throw rejected.reason
  }

  /** Whether the block was recently stored here, so that it should still be here. */
  hasStored(cid: CID): boolean {
    const at = this.#stored.get(bytesKey(cid.multihash.bytes))
    return at !== undefined && performance.now() - at < missedFor
  }

  /** The block was removed on purpose. */
  forget(cid: CID): void {
    this.#stored.delete(bytesKey(cid.multihash.bytes))
  }

  /**
   * Without the library, which sends one block per request. Also without `dag/import`, although that takes half the
   * time: it does not notify Bitswap, so peers that wait for a block would keep waiting.
   */
  async #put(blocks: readonly Block[], signal: AbortSignal | undefined): Promise<void> {
    const [first] = blocks
    if (first === undefined) return
    const answer = await this.#rpc.request(putting, {
      path: 'block/put',
      query: new URLSearchParams(formatOf(first.cid)),
      body: multipart(blocks.map(({ bytes }) => bytes)),
      signal
    })
    let stored = 0
    for await (const { Key: key } of answer.objects()) {
      const block = blocks[stored++]
      if (block === undefined) break
      checkKey(block, key)
      this.#stored.set(bytesKey(block.cid.multihash.bytes), performance.now())
    }
    if (stored !== blocks.length)
      throw failure('PROTOCOL', putting.operation, `the daemon has stored ${stored} of ${blocks.length} blocks`)
  }
}

/** Blocks of one kind can share a request. */
function kindOf({ cid }: Block): string {
  return `${cid.version}/${cid.multihash.code}/${cid.code}`
}

function inRequests(blocks: readonly Block[]): Block[][] {
  const most = Math.min(mostBlocks, Math.max(fewestBlocks, Math.ceil(blocks.length / requestsOfCall)))
  const parts: Block[][] = []
  let bytes = Infinity
  for (const block of blocks) {
    const part = parts.at(-1)
    bytes += block.bytes.byteLength
    if (part !== undefined && part.length < most && bytes <= mostBytes) part.push(block)
    else {
      parts.push([block])
      bytes = block.bytes.byteLength
    }
  }
  return parts
}

/**
 * The daemon keys its store by multihash, but notifies peers that wait for a block by its CID. So the block has to be
 * stored under the CID that they ask for. Codecs that the daemon does not know are stored as raw.
 */
function formatOf(cid: CID): Record<string, string> {
  if (cid.version === 0) return { format: 'v0' }
  return {
    'cid-codec': codecNames.get(cid.code) ?? 'raw',
    mhtype: hashNames.get(cid.multihash.code) ?? '',
    mhlen: '-1'
  }
}

function storedAs(cid: CID): string {
  return cid.version === 0 || codecNames.has(cid.code)
    ? cid.toString()
    : CID.createV1(raw.code, cid.multihash).toString()
}

function checkKey({ cid }: Block, key: unknown): void {
  if (key === storedAs(cid)) return
  if (typeof key !== 'string')
    throw failure('PROTOCOL', putting.operation, 'the daemon does not say under which CID it has stored a block')
  throw failure(
    'INVALID_CONTENT',
    putting.operation,
    `the bytes do not hash to ${cid.toString()}: the daemon has stored them as ${key.slice(0, 100)}`
  )
}
