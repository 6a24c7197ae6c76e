import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import { blockKey, walkDag } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { dialable } from '../address.ts'
import { failure } from '../errors.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import type { Lifecycle } from './lifecycle.ts'

/** Bytes of the digests: a shorter one proves nothing, and core refuses to read it. */
const digestBytes: Readonly<Record<number, number>> = { 0x12: 32, 0x13: 64 }

export interface BlockOptions {
  readonly maxBlockBytes: number
}

export function createBlocks(
  network: SimulatedNetwork,
  endpoint: Endpoint,
  lifecycle: Lifecycle,
  { maxBlockBytes }: BlockOptions
): BlockTransport {
  const { store } = endpoint
  const node = network.node(endpoint.id)

  function checked(operation: string, value: unknown, signal: AbortSignal | undefined): CID {
    lifecycle.assert(operation, signal)
    const cid = asCid(operation, value)
    const { code, digest } = cid.multihash
    if (digestBytes[code] !== digest.byteLength)
      throw failure(
        'UNSUPPORTED',
        operation,
        `${cid.toString()} cannot be verified (hash 0x${code.toString(16)}, ${digest.byteLength} bytes): use a whole sha2-256 or sha2-512`
      )
    return cid
  }

  function keep(operation: string, block: Block, signal: AbortSignal | undefined): void {
    const cid = checked(operation, block.cid, signal)
    if (!(block.bytes instanceof Uint8Array))
      throw failure('INVALID_ARGUMENT', operation, "a block's bytes are a Uint8Array")
    if (block.bytes.byteLength > maxBlockBytes)
      throw failure('TOO_LARGE', operation, `a block has at most ${maxBlockBytes} bytes, not ${block.bytes.byteLength}`)
    store.put({ cid, bytes: block.bytes })
    network.exchange.stored(node, cid)
  }

  async function load(operation: string, value: CID, options: GetBlockOptions = {}): Promise<Uint8Array> {
    const cid = checked(operation, value, options.signal)
    const own = store.get(cid)
    if (own !== undefined) return own
    if (options.local === true) throw failure('NOT_FOUND', operation, `${cid.toString()} is not stored here`)
    const hints = (options.providers ?? []).map(dialable)
    return await lifecycle.wait<Uint8Array>(operation, options.signal, (found) =>
      network.want(endpoint, { cid, hints, maxBytes: maxBlockBytes, found })
    )
  }

  return {
    async get(cid: CID, options?: GetBlockOptions): Promise<Uint8Array> {
      return await load('blocks.get', cid, options)
    },

    async put(block: Block, options?: AbortOptions): Promise<void> {
      keep('blocks.put', block, options?.signal)
    },

    async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options?: AbortOptions): Promise<void> {
      const operation = 'blocks.putMany'
      lifecycle.assert(operation, options?.signal)
      for await (const block of lifecycle.iterate(operation, blocks, options?.signal))
        keep(operation, block, options?.signal)
    },

    async has(value: CID, options?: AbortOptions): Promise<boolean> {
      return store.has(checked('blocks.has', value, options?.signal))
    },

    async delete(value: CID, options?: AbortOptions): Promise<void> {
      const cid = checked('blocks.delete', value, options?.signal)
      if (store.delete(cid)) network.exchange.removed(node, blockKey(cid))
    },

    async pin(value: CID, { recursive = true, signal }: PinOptions = {}): Promise<void> {
      const root = checked('blocks.pin', value, signal)
      await store.pin(root, recursive, (cid) => load('blocks.pin', cid, { signal, root }))
    },

    async unpin(value: CID, options?: AbortOptions): Promise<void> {
      store.unpin(checked('blocks.unpin', value, options?.signal))
    },

    async *pins(options?: AbortOptions): AsyncGenerator<Pin> {
      lifecycle.assert('blocks.pins', options?.signal)
      for (const { cid, recursive } of store.pins.values()) {
        lifecycle.assert('blocks.pins', options?.signal)
        yield { cid, recursive }
      }
    },

    async *gc(options?: AbortOptions): AsyncGenerator<CID> {
      lifecycle.assert('blocks.gc', options?.signal)
      for (const cid of store.gc()) {
        network.exchange.removed(node, blockKey(cid))
        yield cid
        lifecycle.assert('blocks.gc', options?.signal)
      }
    },

    async *getDag(value: CID, options?: GetBlockOptions): AsyncGenerator<Block> {
      const root = checked('blocks.getDag', value, options?.signal)
      yield* walkDag('blocks.getDag', root, (link) => load('blocks.getDag', link, { ...options, root }))
    }
  }
}

/** The caller's CID may come from another copy of multiformats, so it is recognised by shape. */
export function asCid(operation: string, value: unknown): CID {
  const cid = CID.asCID(value)
  if (cid === null) throw failure('INVALID_ARGUMENT', operation, `${operation} needs a CID, not ${typeof value}`)
  return cid
}
