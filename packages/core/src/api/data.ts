import type { CID } from 'multiformats/cid'
import type { PeerInfo, Progress } from '../port/common.ts'
import type { Pin } from '../port/blocks.ts'
import type { GetOptions } from './blocks.ts'
import type { CallOptions, CidInput } from './common.ts'
import type { GoalOptions, ReachOptions, Receipt, WillingOptions, WillingPeer } from './receipts.ts'

/** One file's bytes. Text is encoded as UTF-8. Chunks may be of any size. */
export type DataSource =
  | string
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>

/** `replicas`, `challenge` and `peers` require `until: 'retrievable'`. */
export interface AddOptions extends CallOptions, GoalOptions {
  /**
   * When `add` resolves. `local` (default): the content is stored here, as durably as the backend's `persistence` says.
   * `provided`: other peers have accepted a provider record of the root. `retrievable`: `replicas` other peers have fetched
   * and verified all of the content, and have proven that they have it; see {@link Data.reach}.
   */
  until?: 'local' | 'provided' | 'retrievable' | undefined
  /** Protect the content from `gc`. Default: true if the backend has pins. */
  pin?: boolean | undefined
  /**
   * Provide the root in the background, and retry until that succeeds. Has no effect if `until` is `provided`. Default:
   * true if the backend can provide.
   */
  provide?: boolean | undefined
  /** Called after each batch has been stored. An error that it throws ends the call. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface AddResult {
  /** Equal for equal bytes on every backend (`unixfs-v1-2025`: CIDv1, sha2-256, raw leaves, 1 MiB chunks, 1,024 links). */
  readonly cid: CID
  /** Bytes of content. */
  readonly size: number
  readonly receipt: Receipt
}

export interface PinOptions extends CallOptions {
  /** Also protect everything below the CID. Default true. */
  recursive?: boolean | undefined
  /** Peers that probably have the blocks that are missing here. */
  providers?: readonly PeerInfo[] | undefined
  /** Maximum bytes of blocks that the pin may hold. Above it the call throws `TOO_LARGE` and pins nothing. Default: no limit. */
  maxBytes?: number | undefined
  /** Called for each block once it is stored here. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface ReadOptions extends GetOptions {
  /** First byte. Default 0. */
  offset?: number | undefined
  /** Maximum number of bytes. Default: to the end. */
  length?: number | undefined
  /** Called before each chunk is handed out. An error that it throws ends the iteration. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface DataStat {
  readonly cid: CID
  /** `block`: content of a codec that files do not use, such as DAG-CBOR. It is read as plain bytes. */
  readonly kind: 'file' | 'directory' | 'block'
  /** Bytes of content; absent for directories. */
  readonly size?: number | undefined
}

/**
 * Content by CID: files of any size, verified block by block, independently of the backend. Every call may throw
 * `INVALID_ARGUMENT`, `UNSUPPORTED` (the backend has no blocks, or lacks the feature), `NOT_RUNNING`, `ABORTED` and
 * `TIMEOUT`. Each call lists its other errors.
 */
export interface Data {
  /**
   * Stores one file. Throws `STORAGE` when it cannot be stored. An error of the source is thrown unchanged. An error after
   * the file has been stored carries `reached`, the receipt so far. With `until: 'retrievable'`, throws the same errors as
   * `reach`.
   */
  add(source: DataSource, options?: AddOptions): Promise<AddResult>
  /**
   * The file's bytes in order, streamed, from a UnixFS file of any layout. For directories see `@p2pl/unixfs`. Throws
   * `NOT_FOUND` when a block cannot be found, `INVALID_CONTENT` when a block contradicts its CID or its parent.
   */
  get(cid: CidInput, options?: ReadOptions): AsyncIterableIterator<Uint8Array>
  /** The whole content as one array. Throws the same errors as `get`, and `TOO_LARGE` above `maxBytes` (default 64 MiB). */
  bytes(cid: CidInput, options?: ReadOptions & { maxBytes?: number | undefined }): Promise<Uint8Array>
  /** Kind and size, read from the root alone. Throws the same errors as `get`, and `UNSUPPORTED` for a symlink. */
  stat(cid: CidInput, options?: GetOptions): Promise<DataStat>
  /** Whether everything below the CID is stored here; with `deep: false`, whether the block itself is. */
  has(cid: CidInput, options?: CallOptions & { deep?: boolean | undefined }): Promise<boolean>
  /**
   * Protects the content from `gc` and `delete`. Missing blocks are fetched first. Throws `NOT_FOUND` when a block cannot
   * be found, `TOO_LARGE` above `maxBytes`, `STORAGE`. A pin that fails or is aborted pins nothing.
   */
  pin(cid: CidInput, options?: PinOptions): Promise<void>
  /** Removes a pin. A CID that is not pinned is not an error. */
  unpin(cid: CidInput, options?: CallOptions): Promise<void>
  /** The pins themselves, not what they protect. */
  pins(options?: CallOptions): AsyncIterableIterator<Pin>
  /** Removes every block that no pin protects and yields each CID. Waits for adds of this peer that are under way. */
  gc(options?: CallOptions): AsyncIterableIterator<CID>
  /** Makes `gc` of this peer wait while `work` runs. For content that is stored in several calls and pinned at the end. */
  protect<T>(work: () => Promise<T>): Promise<T>
  /**
   * Puts out a provider record, and renews it for as long as the peer runs. Resolves when others have accepted the record.
   * Throws a retryable `NO_PEERS` while no peer is there to accept it.
   */
  provide(cid: CidInput, options?: CallOptions): Promise<void>
  /** Ends the renewal, and any providing that `add` does in the background. Others may find the record until it expires. */
  unprovide(cid: CidInput, options?: CallOptions): Promise<void>
  /**
   * Asks other peers of the group (`createPeer({ receipts })`) to obtain all of the content now, to prove that they have
   * it, and to sign. Resolves when `replicas` peers have done so. The timeout (default `timeouts.put`) starts again with
   * each acknowledgement. Without a `timeout` option, large content gets extra time.
   *
   * Throws `NO_PEERS` when no willing peer answers, `TIMEOUT` when too few peers finish in time, `NOT_FOUND` when the named
   * peers lack the content. All three carry `reached`. Throws the same errors as `get` when the content is not here and
   * cannot be fetched, and `UNSUPPORTED` without messages.
   */
  reach(cid: CidInput, options?: ReachOptions): Promise<Receipt>
  /** The peers that keep content for this one and answer now. Their answers are claims, not proofs. */
  willing(options?: WillingOptions): Promise<readonly WillingPeer[]>
  /** Tells these peers (`peer.id`) that they no longer need to keep the content for this one. They do not answer. */
  release(cid: CidInput, options: CallOptions & { peers: readonly string[] }): Promise<void>
  /** Other peers with a provider record, each once, at most `limit` (default 20). The iteration is empty if there are none. */
  findProviders(cid: CidInput, options?: CallOptions & { limit?: number | undefined }): AsyncIterableIterator<PeerInfo>
}
