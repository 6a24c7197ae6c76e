import {
  type Block,
  type BlockHooks,
  bytesKey,
  type GetBlockOptions,
  type HookOptions,
  isP2plError,
  type Pin,
  type PinOptions,
  plainBytes
} from '@p2pl/core/backend'
import { type CallKind, classify, failure, RpcStatusError } from '@p2pl/kubo/rpc'
import type { CID } from 'multiformats/cid'
import { maxBlockBytes } from '../capabilities.ts'
import type { Connections } from '../routing/connections.ts'
import type { LibraryCallKind, RpcClient } from '../rpc/client.ts'
import { aliases } from './aliases.ts'
import { causedBy } from './caused-by.ts'
import { matches } from './matches.ts'
import { Pinner } from './pin.ts'
import { BlockWriter } from './write.ts'

const offline = { offline: true } as const
// Only its caller's signal ends a fetch, because a block may turn up at any time.
const getting: CallKind = { operation: 'blocks.get', lane: 'network' }
const gettingLocal: CallKind = { ...getting, lane: 'store' }
const asking: LibraryCallKind = { operation: 'blocks.has', lane: 'store', params: offline }
const deleting: LibraryCallKind = { operation: 'blocks.delete', lane: 'store', answer: 'lines' }
const listingPins: LibraryCallKind = { operation: 'blocks.pins', lane: 'network', answer: 'lines' }
const collecting: LibraryCallKind = {
  operation: 'blocks.gc',
  lane: 'network',
  answer: 'lines',
  params: { 'stream-errors': true }
}

interface Taken {
  readonly bytes: Uint8Array
  /** Settles when the block is back in the store; present once it is being put back. */
  returned?: Promise<void>
}

/** Blocks in the daemon's store, and blocks of others through Bitswap. */
export class Blocks implements BlockHooks {
  readonly #rpc: RpcClient
  readonly #connections: Connections
  readonly #writer: BlockWriter
  readonly #pinner: Pinner
  /** Blocks that were removed from the daemon's store while others are asked for them. They still belong to this node. */
  readonly #taken = new Map<string, Taken>()

  constructor(rpc: RpcClient, connections: Connections) {
    this.#rpc = rpc
    this.#connections = connections
    this.#writer = new BlockWriter(rpc)
    this.#pinner = new Pinner(rpc, connections, this.#writer)
  }

  async get(cid: CID, { signal, local, remote, providers }: GetBlockOptions): Promise<Uint8Array> {
    if (local === true) return this.#taken.get(keyOf(cid))?.bytes ?? (await this.#get(gettingLocal, cid, signal))
    this.#connections.hint(providers)
    return remote === true ? await this.#getFromOthers(cid, signal) : await this.#get(getting, cid, signal)
  }

  async putMany(blocks: readonly Block[], { signal }: HookOptions): Promise<void> {
    await this.#writer.putMany(blocks, signal)
  }

  async has(cid: CID, { signal }: HookOptions): Promise<boolean> {
    if (this.#taken.has(keyOf(cid))) return true
    try {
      await this.#rpc.call(asking, signal, async (library, options) => await library.block.stat(cid, options))
      return true
    } catch (error) {
      if (isP2plError(error, 'NOT_FOUND')) return false
      throw error
    }
  }

  async delete(cid: CID, { signal }: HookOptions): Promise<void> {
    await this.#delete(cid, signal)
    this.#taken.delete(keyOf(cid))
  }

  async #delete(cid: CID, signal: AbortSignal): Promise<void> {
    await this.#pinner.settled(signal)
    await this.#refusePinnedAlias(cid, signal)
    await this.#remove(cid, signal)
    this.#writer.forget(cid)
  }

  async pin(cid: CID, options: PinOptions): Promise<void> {
    await this.#pinner.pin(cid, options)
  }

  async unpin(cid: CID, { signal }: HookOptions): Promise<void> {
    await Promise.all([cid, ...aliases(cid)].map(async (one) => await this.#pinner.unpin(one, signal)))
  }

  async *pins({ signal }: HookOptions): AsyncGenerator<Pin, void, undefined> {
    await this.#pinner.settled(signal)
    for (const type of ['recursive', 'direct'] as const) {
      const pins = this.#rpc.each(listingPins, signal, (library, options) => library.pin.ls({ ...options, type }))
      for await (const { cid } of pins) yield { cid, recursive: type === 'recursive' }
    }
  }

  async *gc({ signal }: HookOptions): AsyncGenerator<CID, void, undefined> {
    await this.#pinner.settled(signal)
    const { operation } = collecting
    const collected = this.#rpc.each(collecting, signal, (library, options) => library.repo.gc(options))
    for await (const { err, cid } of collected) {
      if (err != null && err.message !== '') throw classify(operation, new RpcStatusError(200, err.message))
      if (cid == null) throw failure('PROTOCOL', operation, 'the daemon has collected something without a CID')
      this.#writer.forget(cid)
      yield cid
    }
  }

  /** Without the library, which copies the block once more and has overhead for each call. */
  async #get(kind: CallKind, cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const query = new URLSearchParams({ arg: cid.toString() })
    if (kind === gettingLocal) query.set('offline', 'true')
    const answer = await this.#rpc.request(kind, { path: 'block/get', query, signal })
    return plainBytes(await answer.collect(maxBlockBytes))
  }

  /**
   * The daemon always looks in its own store first. So the local copy is removed before others are asked, and put back
   * if they do not have the block.
   */
  async #getFromOthers(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    await this.#taken.get(keyOf(cid))?.returned
    if (!(await this.has(cid, { signal }))) return await this.#get(getting, cid, signal)
    const bytes = await this.get(cid, { signal, local: true })
    const isGood = await matches(cid, bytes)
    // Before the daemon deletes it: the caller may give up at any moment, and must still find the block here.
    if (isGood) this.#taken.set(keyOf(cid), { bytes })
    try {
      // The delete runs to its end even if the caller gives up: the daemon could still execute an interrupted one after
      // the block is back.
      await this.#delete(cid, new AbortController().signal)
    } catch (error) {
      if (isGood) this.#putBack(cid)
      throw isP2plError(error, 'PINNED') ? heldByPin(cid, isGood, error) : error
    }
    try {
      const fetched = await this.#get(getting, cid, signal)
      this.#taken.delete(keyOf(cid))
      return fetched
    } catch (error) {
      if (isGood) this.#putBack(cid)
      throw error
    }
  }

  #putBack(cid: CID): void {
    const taken = this.#taken.get(keyOf(cid))
    if (taken === undefined) return
    taken.returned = this.#writer
      .putMany([{ cid, bytes: taken.bytes }])
      // The daemon is gone, so nobody can be told.
      .catch(() => {})
      .finally(() => this.#taken.delete(keyOf(cid)))
  }

  async #remove(cid: CID, signal: AbortSignal): Promise<void> {
    const { operation } = deleting
    const removed = this.#rpc.each(deleting, signal, (library, options) => library.block.rm(cid, options))
    for await (const { error } of removed) {
      if (error === undefined || error.message === '') continue
      const classified = classify(operation, new RpcStatusError(200, error.message))
      if (!isP2plError(classified, 'NOT_FOUND')) throw classified
    }
  }

  /** The daemon keeps pins by CID but blocks by multihash, so a pin under another CID of the same block also holds it. */
  async #refusePinnedAlias(cid: CID, signal: AbortSignal): Promise<void> {
    await Promise.all(
      aliases(cid).map(async (other) => {
        try {
          const pins = this.#rpc.each(deleting, signal, (library, options) =>
            library.pin.ls({ ...options, paths: other, type: 'all' })
          )
          for await (const pin of pins) void pin
        } catch (error) {
          if (causedBy(error, /not pinned/)) return
          throw error
        }
        throw failure('PINNED', deleting.operation, `${cid.toString()} is pinned as ${other.toString()}`)
      })
    )
  }
}

/** The daemon stores a block by its multihash, whichever CID is used. */
function keyOf(cid: CID): string {
  return bytesKey(cid.multihash.bytes)
}

function heldByPin(cid: CID, isGood: boolean, cause: Error): Error {
  return isGood
    ? failure(
        'UNSUPPORTED',
        getting.operation,
        `the daemon holds ${cid.toString()} by a pin, and asks nobody else for a block that it has`,
        { cause }
      )
    : failure(
        'STORAGE',
        getting.operation,
        `the daemon's copy of ${cid.toString()} is damaged, and a pin holds it: run "ipfs repo verify --heal", which fetches damaged blocks again`,
        { cause }
      )
}
