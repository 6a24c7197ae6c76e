import type { CID } from 'multiformats/cid'
import type { Blocks } from '../api/blocks.ts'
import type { Data } from '../api/data.ts'
import type { Environment } from '../api/peer.ts'
import { codecs } from '../content/layout.ts'
import { P2plError } from '../errors.ts'
import type { Progress } from '../port/common.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import { linksOf } from '../toolbox/links.ts'
import { ClaimFetcher, type ClaimSource } from '../topic/claim-fetcher.ts'
import type { ClaimStore } from '../topic/context.ts'

/** Bytes in a chunk of other usual importers. */
const smallestUsualChunk = 256 * 1024
const maxKept = 65_536

export interface ClaimStoreOptions {
  readonly data: Data
  readonly blocks: Blocks
  readonly environment: Environment
  /** Whether the backend keeps blocks that it has fetched. */
  readonly keepsFetched: boolean
  /** Most bytes of fetched payloads that stay in the store. */
  readonly maxFetchedBytes: number
}

/** Large payloads, left with the data backend and fetched by CID. */
export function createClaimStore(options: ClaimStoreOptions): ClaimStore {
  const { data, blocks, environment } = options
  const kept = new FetchedPayloads(options)
  const source: ClaimSource = {
    probe: async ({ cid, size, providers }, signal) => {
      const mine = await data.has(cid, { deep: false, signal })
      try {
        const bytes = await blocks.get(cid, { providers, signal, timeout: Infinity })
        return cid.code === codecs.raw ? ofSize(bytes, size) : undefined
      } finally {
        if (!mine) kept.add(cid, size)
      }
    },
    fetch: async ({ cid, size, providers, signal }) => {
      // A hostile sender may lay out its payload as millions of blocks; `data.add` makes few.
      const maxBlocks = 8 + 2 * Math.ceil(size / smallestUsualChunk)
      const onProgress = (progress: Progress): void => {
        if (progress.blocks > maxBlocks) throw invalid(`a payload of ${size} bytes has more than ${maxBlocks} blocks`)
      }
      return ofSize(await data.bytes(cid, { maxBytes: size, providers, signal, onProgress }), size)
    }
  }
  return {
    put: async (payload, call) => {
      const { cid } = await data.add(payload, { ...call, pin: false, provide: false })
      return cid
    },
    fetcher: new ClaimFetcher(source, environment)
  }
}

/** Payloads of strangers in the store of this peer, unpinned. They serve others for a while; the oldest go first. */
class FetchedPayloads {
  readonly #options: ClaimStoreOptions
  readonly #sizes = new BoundedMap<string, { readonly cid: CID; readonly size: number }>(maxKept, (_key, oldest) => {
    this.#forget(oldest)
  })
  #bytes = 0

  constructor(options: ClaimStoreOptions) {
    this.#options = options
  }

  add(cid: CID, size: number): void {
    if (!this.#options.keepsFetched) return
    const key = bytesKey(cid.multihash.bytes)
    if (this.#sizes.touch(key) === undefined) {
      this.#sizes.set(key, { cid, size })
      this.#bytes += size
    }
    for (const [oldestKey, oldest] of this.#sizes) {
      if (this.#bytes <= this.#options.maxFetchedBytes) return
      this.#sizes.delete(oldestKey)
      this.#forget(oldest)
    }
  }

  #forget({ cid, size }: { readonly cid: CID; readonly size: number }): void {
    this.#bytes -= size
    void this.#delete(cid)
  }

  /** Best effort: a pinned block stays, and a store that fails says so to the calls of the app. */
  async #delete(root: CID): Promise<void> {
    const { blocks } = this.#options
    const open = [root]
    for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
      try {
        if (!(await blocks.has(cid))) continue
        if (cid.code === codecs.dagPb) open.push(...(linksOf(cid, await blocks.get(cid, { local: true })) ?? []))
        await blocks.delete(cid)
      } catch {
        continue
      }
    }
  }
}

function ofSize(payload: Uint8Array, size: number): Uint8Array {
  if (payload.byteLength === size) return payload
  throw invalid(`a payload was promised with ${size} bytes and has ${payload.byteLength}`)
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation: 'subscribe', message })
}
