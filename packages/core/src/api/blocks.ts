import type { CID } from 'multiformats/cid'
import type { Block, PeerInfo } from '../port/common.ts'
import type { CallOptions, CidInput } from './common.ts'

export interface GetOptions extends CallOptions {
  /** Look in the local store only. */
  local?: boolean | undefined
  /** Ask other peers only. Throws `UNSUPPORTED` if the backend cannot ask other peers. */
  remote?: boolean | undefined
  /** Peers that probably have the content (their `peer.network.self()`). Saves a lookup. */
  providers?: readonly PeerInfo[] | undefined
  /** Root of the DAG that the block belongs to, if known: engines with sessions or whole-file transfer use it. */
  root?: CidInput | undefined
}

/** Blocks by CID, each verified against its CID. */
export interface Blocks {
  /**
   * The block's bytes. Throws `NOT_FOUND` or `TIMEOUT` when no peer delivers them, `INVALID_CONTENT` when they do not hash
   * to the CID, `UNSUPPORTED` for a hash that cannot be checked, `INVALID_ARGUMENT`, `ABORTED`, `NOT_RUNNING`.
   */
  get(cid: CidInput, options?: GetOptions): Promise<Uint8Array>
  /**
   * Stores bytes under CIDv1, sha2-256. `codec` is a multicodec code; default 0x55, raw. Throws `TOO_LARGE` above the
   * backend's `maxBlockBytes`.
   */
  put(bytes: Uint8Array, options?: CallOptions & { codec?: number | undefined }): Promise<CID>
  /** Stores blocks whose CIDs the caller has computed. They are not hashed again. */
  putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options?: CallOptions): Promise<void>
  /** Whether the local store has the block. */
  has(cid: CidInput, options?: CallOptions): Promise<boolean>
  /** Removes the block from the local store. A missing block is not an error. Throws `PINNED` while a pin holds the block. */
  delete(cid: CidInput, options?: CallOptions): Promise<void>
}
