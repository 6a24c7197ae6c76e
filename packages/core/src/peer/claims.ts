import type { CID } from 'multiformats/cid'
import type { Blocks } from '../api/blocks.ts'
import type { Data } from '../api/data.ts'
import type { Environment } from '../api/peer.ts'
import { joinChunks } from '../content/join.ts'
import { codecs, readLimits } from '../content/layout.ts'
import { readFile } from '../content/reader.ts'
import { P2plError } from '../errors.ts'
import { ClaimFetcher, type ClaimRequest, type ClaimSource } from '../topic/claim-fetcher.ts'
import type { ClaimStore } from '../topic/context.ts'
import { FetchedBlocks } from './fetched-blocks.ts'

/** The smallest chunk size of other common importers, in bytes. */
const smallestUsualChunk = 256 * 1024
/** The assumed size of a block that arrives after its fetch was given up. */
const lateBlockBytes = 1024 * 1024

export interface ClaimStoreOptions {
  readonly data: Data
  readonly blocks: Blocks
  readonly environment: Environment
  /** Whether the backend keeps blocks that it has fetched. */
  readonly keepsFetched: boolean
  /** Maximum bytes of fetched payloads that stay in the store. */
  readonly maxFetchedBytes: number
}

/** The form that the peer itself uses; topics see {@link ClaimStore}. */
export interface OwnClaimStore extends ClaimStore {
  /** The app has stored the block as well, so it stays. */
  own(cid: CID): void
}

/** Large payloads, which are stored with the data backend and fetched by CID. */
export function createClaimStore({
  data,
  blocks,
  environment,
  keepsFetched,
  maxFetchedBytes
}: ClaimStoreOptions): OwnClaimStore {
  const fetched = new FetchedBlocks(blocks, maxFetchedBytes)

  /**
   * Fetches a block of a stranger's payload. The block counts with its real size, whatever the stranger claims. A block
   * that was already here stays.
   */
  const get = async (cid: CID, root: CID, request: ClaimRequest, signal: AbortSignal): Promise<Uint8Array> => {
    const stays = !keepsFetched || (await blocks.has(cid, { signal }))
    const { providers } = request
    try {
      const bytes = await blocks.get(cid, { root, providers, signal })
      if (!stays) fetched.add(cid, bytes.byteLength)
      return bytes
    } catch (error) {
      if (!stays && (await blocks.has(cid).catch(() => false))) fetched.add(cid, lateBlockBytes)
      throw error
    }
  }

  const source: ClaimSource = {
    probe: async (request, signal) => {
      const { cid, size } = request
      const bytes = await get(cid, cid, request, signal)
      return cid.code === codecs.raw ? ofSize(bytes, size) : undefined
    },
    fetch: async (request) => {
      const { cid, size, signal } = request
      // A hostile sender may lay out its payload as millions of blocks, or as large blocks that it claims are small.
      const maxBlocks = 8 + 2 * Math.ceil(size / smallestUsualChunk)
      const maxBytes = size + readLimits.nodeBytes
      const got = { blocks: 0, bytes: 0 }
      const chunks = readFile(cid, {
        operation: 'subscribe',
        range: { offset: 0, length: Infinity },
        fetch: async (each) => {
          if (++got.blocks > maxBlocks) throw invalid(`a payload of ${size} bytes has more than ${maxBlocks} blocks`)
          if (got.bytes > maxBytes) throw invalid(`the blocks of a payload of ${size} bytes have more than ${maxBytes}`)
          const bytes = await get(each, cid, request, signal)
          got.bytes += bytes.byteLength
          return bytes
        },
        onSize: (actual) => {
          if (actual !== size) throw wrongSize(size, actual)
        }
      })
      return ofSize(await joinChunks(chunks, () => size), size)
    }
  }
  return {
    put: async (payload, call) => {
      const { cid } = await data.add(payload, { ...call, pin: false, provide: false })
      return cid
    },
    fetcher: new ClaimFetcher(source, environment),
    own: (cid) => {
      fetched.release(cid)
    }
  }
}

function ofSize(payload: Uint8Array, size: number): Uint8Array {
  if (payload.byteLength === size) return payload
  throw wrongSize(size, payload.byteLength)
}

function wrongSize(size: number, actual: number): P2plError {
  return invalid(`a payload was promised with ${size} bytes and has ${actual}`)
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation: 'subscribe', message })
}
