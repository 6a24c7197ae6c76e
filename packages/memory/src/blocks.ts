import type { AbortOptions, Block, BlockTransport, GetBlockOptions, Pin, PinOptions } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { nodeKey, walkDag } from './dag.ts'
import type { Engine, Member } from './engine.ts'
import { failure } from './errors.ts'
import { asCid, blockKey, dialable } from './key.ts'
import type { Lifecycle } from './lifecycle.ts'
import { pinDag } from './pins.ts'
import { release } from './store.ts'

export interface BlockOptions {
  readonly maxBlockBytes: number
  readonly hashes: readonly number[]
}

export function createBlocks(
  engine: Engine,
  member: Member,
  lifecycle: Lifecycle,
  { maxBlockBytes, hashes }: BlockOptions
): BlockTransport {
  const { store } = member

  function checked(operation: string, value: unknown, signal: AbortSignal | undefined): CID {
    lifecycle.assert(operation, signal)
    const cid = asCid(operation, value)
    if (!hashes.includes(cid.multihash.code))
      throw failure(
        'UNSUPPORTED',
        operation,
        `the hash function 0x${cid.multihash.code.toString(16)} of ${cid.toString()} is none of capabilities.blocks.hashes`
      )
    return cid
  }

  function keep(operation: string, block: Block, signal: AbortSignal | undefined): void {
    const cid = checked(operation, block.cid, signal)
    if (!(block.bytes instanceof Uint8Array))
      throw failure('INVALID_ARGUMENT', operation, "a block's bytes are a Uint8Array")
    if (block.bytes.byteLength > maxBlockBytes)
      throw failure('TOO_LARGE', operation, `a block has at most ${maxBlockBytes} bytes, not ${block.bytes.byteLength}`)
    const key = blockKey(cid)
    if (store.blocks.has(key)) return
    const kept = { cid, bytes: block.bytes }
    store.blocks.set(key, kept)
    engine.stored(member, kept, key)
  }

  async function load(operation: string, value: CID, options: GetBlockOptions = {}): Promise<Uint8Array> {
    const cid = checked(operation, value, options.signal)
    const key = blockKey(cid)
    const own = store.blocks.get(key)
    if (own !== undefined) return own.bytes
    if (options.local === true) throw failure('NOT_FOUND', operation, `${cid.toString()} is not stored here`)
    const hints = (options.providers ?? []).map(dialable)
    return await lifecycle.wait<Uint8Array>(operation, options.signal, (found) =>
      engine.want(member, { cid, key, hints, maxBytes: maxBlockBytes, found })
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
      return store.blocks.has(blockKey(checked('blocks.has', value, options?.signal)))
    },

    async delete(value: CID, options?: AbortOptions): Promise<void> {
      const cid = checked('blocks.delete', value, options?.signal)
      const key = blockKey(cid)
      if (store.holds.has(key))
        throw failure('PINNED', 'blocks.delete', `a pin protects ${cid.toString()}: unpin it first`)
      if (store.blocks.delete(key)) engine.removed(member, key)
    },

    async pin(value: CID, options: PinOptions = {}): Promise<void> {
      const { recursive = true, signal } = options
      const cid = checked('blocks.pin', value, signal)
      const earlier = store.pins.get(nodeKey(cid))
      if (earlier !== undefined && (earlier.recursive || !recursive)) return
      await pinDag(store, cid, recursive, {
        check: (link) => void checked('blocks.pin', link, signal),
        fetch: (link) => load('blocks.pin', link, { signal, root: cid })
      })
    },

    async unpin(value: CID, options?: AbortOptions): Promise<void> {
      const name = nodeKey(checked('blocks.unpin', value, options?.signal))
      for (const key of store.pins.get(name)?.keys ?? []) release(store, key)
      store.pins.delete(name)
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
      for (const [key, { cid }] of store.blocks) {
        lifecycle.assert('blocks.gc', options?.signal)
        // Looked at one by one: a pin that begins while this is read still protects.
        if (store.holds.has(key) || !store.blocks.delete(key)) continue
        engine.removed(member, key)
        yield cid
      }
    },

    async *getDag(value: CID, options?: GetBlockOptions): AsyncGenerator<Block> {
      const root = checked('blocks.getDag', value, options?.signal)
      yield* walkDag('blocks.getDag', root, (link) => load('blocks.getDag', link, { ...options, root }))
    }
  }
}
