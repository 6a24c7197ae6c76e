import type { PinOptions } from '@p2pl/core/backend'
import { type CallKind, failure } from '@p2pl/kubo/rpc'
import type { CID } from 'multiformats/cid'
import type { LibraryCallKind, RpcClient } from '../rpc/client.ts'
import { causedBy } from './caused-by.ts'

type AddOptions = Pick<PinOptions, 'recursive' | 'onProgress'> & { readonly signal?: AbortSignal | undefined }

const pinning: CallKind = { operation: 'blocks.pin', lane: 'network' }
const listing: CallKind = { operation: 'blocks.pin', lane: 'store' }
const unpinning: LibraryCallKind = { operation: 'blocks.unpin', lane: 'store', answer: 'lines' }

/** Single calls of the daemon that concern a pin. */
export class PinCalls {
  readonly #rpc: RpcClient

  constructor(rpc: RpcClient) {
    this.#rpc = rpc
  }

  /** How exactly this CID is pinned, if it is. */
  async find(cid: CID, signal?: AbortSignal): Promise<'recursive' | 'direct' | undefined> {
    const [recursive, direct] = await Promise.all([
      this.#has(cid, 'recursive', signal),
      this.#has(cid, 'direct', signal)
    ])
    if (recursive) return 'recursive'
    return direct ? 'direct' : undefined
  }

  async #has(cid: CID, type: string, signal?: AbortSignal): Promise<boolean> {
    const query = new URLSearchParams({ arg: cid.toString(), type })
    try {
      await (await this.#rpc.request(listing, { path: 'pin/ls', query, signal })).collect()
      return true
    } catch (error) {
      if (causedBy(error, /not pinned/)) return false
      throw error
    }
  }

  /** Removes a pin. It is no error if there is none. */
  async remove(cid: CID, signal?: AbortSignal): Promise<void> {
    try {
      await this.#rpc.call(unpinning, signal, async (library, options) => await library.pin.rm(cid, options))
    } catch (error) {
      if (!causedBy(error, /not pinned/)) throw error
    }
  }

  /** Pins; with `offline`, only content that is stored here. */
  async add(cid: CID, { recursive, signal, onProgress }: AddOptions, offline: boolean): Promise<void> {
    const query = new URLSearchParams({ arg: cid.toString(), progress: 'true' })
    if (recursive === false) query.set('recursive', 'false')
    if (offline) query.set('offline', 'true')
    try {
      // Without the library, which does not report the bytes of the progress.
      const answer = await this.#rpc.request(pinning, { path: 'pin/add', query, signal })
      let pinned = false
      for await (const { Progress: blocks, Bytes: bytes, Pins: pins } of answer.objects()) {
        pinned ||= Array.isArray(pins)
        if (typeof blocks === 'number') onProgress?.({ blocks, bytes: typeof bytes === 'number' ? bytes : 0 })
      }
      if (!pinned) throw failure('PROTOCOL', pinning.operation, 'the daemon does not say what it has pinned')
    } catch (error) {
      // A direct pin of content that is already pinned recursively, so the content is held.
      if (!causedBy(error, /already pinned recursively/)) throw error
    }
  }

  /** Fetches what is missing, and throws `TOO_LARGE` as soon as it exceeds the limit. */
  async measure(cid: CID, maxBytes: number, { recursive, signal, onProgress }: PinOptions): Promise<void> {
    const query = new URLSearchParams({ arg: cid.toString() })
    if (recursive === false) {
      const { Size: size } = await (await this.#rpc.request(pinning, { path: 'block/stat', query, signal })).json()
      if (typeof size !== 'number')
        throw failure('PROTOCOL', pinning.operation, 'the daemon does not say how large the block is')
      if (size > maxBytes) throw tooLarge(cid, maxBytes)
      return
    }
    const answer = await this.#rpc.request(pinning, { path: 'dag/stat', query, signal })
    for await (const { TotalSize: bytes, DagStats: stats } of answer.objects()) {
      if (typeof bytes !== 'number') continue
      if (bytes > maxBytes) throw tooLarge(cid, maxBytes)
      const [dag] = Array.isArray(stats) ? (stats as ({ NumBlocks?: unknown } | null)[]) : []
      const blocks = dag?.NumBlocks
      onProgress?.({ bytes, blocks: typeof blocks === 'number' ? blocks : 0 })
    }
  }
}

function tooLarge(cid: CID, maxBytes: number): Error {
  return failure('TOO_LARGE', pinning.operation, `the content below ${cid.toString()} has more than ${maxBytes} bytes`)
}
