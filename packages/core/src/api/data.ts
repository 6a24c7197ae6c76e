import type { CID } from 'multiformats/cid'
import type { PeerInfo, Progress } from '../port/common.ts'
import type { Pin } from '../port/blocks.ts'
import type { GetOptions } from './blocks.ts'
import type { CallOptions, CidInput } from './common.ts'
import type { GoalOptions, ReachOptions, Receipt, WillingOptions, WillingPeer } from './receipts.ts'

/** One file's bytes; text is its UTF-8. Chunks may be of any size. */
export type DataSource =
  | string
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>

/** `replicas`, `challenge` and `peers` go with `until: 'retrievable'`. */
export interface AddOptions extends CallOptions, GoalOptions {
  /**
   * When `add` resolves. `local` (default): the content is stored here, as durably as the backend's `persistence` says.
   * `provided`: a provider record of the root was accepted by others. `retrievable`: as many other peers as `replicas` says have
   * fetched and verified all of it, and have proven it; see {@link Data.reach}.
   */
  until?: 'local' | 'provided' | 'retrievable' | undefined
  /** Protect it from `gc`. Default true where the backend has pins. */
  pin?: boolean | undefined
  /** Unless `until` is `provided`: provide the root in the background, and retry until that succeeds. Default true where the backend can. */
  provide?: boolean | undefined
  /** Called after each batch that was stored. An error that it throws ends the call. */
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
  /** Protect everything below it, too. Default true. */
  recursive?: boolean | undefined
  /** Peers that probably have what is missing here. */
  providers?: readonly PeerInfo[] | undefined
  /** Most bytes of blocks that the pin may hold; beyond it `TOO_LARGE`, and nothing is pinned. Default: no limit. */
  maxBytes?: number | undefined
  /** Called for each block, once it is stored here. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface ReadOptions extends GetOptions {
  /** First byte. Default 0. */
  offset?: number | undefined
  /** How many bytes at most. Default: to the end. */
  length?: number | undefined
  /** Called before each chunk is handed out. What it throws ends the iteration. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface DataStat {
  readonly cid: CID
  /** `block`: content of another codec than files have (DAG-CBOR …); it is read as plain bytes. */
  readonly kind: 'file' | 'directory' | 'block'
  /** Bytes of content; absent for directories. */
  readonly size?: number | undefined
}

/**
 * Content by CID: files of any size, verified block by block, independently of the backend. Every call may throw
 * `INVALID_ARGUMENT`, `UNSUPPORTED` (the backend has no blocks, or does not have the feature), `NOT_RUNNING`, `ABORTED` and
 * `TIMEOUT`; the others are named.
 */
export interface Data {
  /**
   * Stores one file. Throws `STORAGE` when it cannot be stored; an error of the source is thrown unchanged. An error after the file was
   * stored has `reached`, the receipt so far; with `until: 'retrievable'` it throws as `reach`.
   */
  add(source: DataSource, options?: AddOptions): Promise<AddResult>
  /**
   * The file's bytes in order, streamed, from a UnixFS file of any layout. Directories: `@p2pl/unixfs`. Throws
   * `NOT_FOUND` when a block cannot be had, `INVALID_CONTENT` when one contradicts its CID or its parent.
   */
  get(cid: CidInput, options?: ReadOptions): AsyncIterableIterator<Uint8Array>
  /** The whole content as one array. Throws as `get`, and `TOO_LARGE` beyond `maxBytes`, default 64 MiB. */
  bytes(cid: CidInput, options?: ReadOptions & { maxBytes?: number | undefined }): Promise<Uint8Array>
  /** Kind and size, from the root alone. Throws as `get`; `UNSUPPORTED` for a symlink. */
  stat(cid: CidInput, options?: GetOptions): Promise<DataStat>
  /** Whether everything below the CID is stored here; with `deep: false` only the block itself. */
  has(cid: CidInput, options?: CallOptions & { deep?: boolean | undefined }): Promise<boolean>
  /**
   * Protects from `gc` and `delete`. Missing blocks are fetched first. Throws `NOT_FOUND` when one cannot be had, `TOO_LARGE`
   * beyond `maxBytes`, `STORAGE`; a pin that fails or is aborted leaves no pin.
   */
  pin(cid: CidInput, options?: PinOptions): Promise<void>
  /** Ends a pin. Not an error when there is none. */
  unpin(cid: CidInput, options?: CallOptions): Promise<void>
  /** The pins themselves, not what they protect. */
  pins(options?: CallOptions): AsyncIterableIterator<Pin>
  /** Removes every block that no pin protects and yields each CID. It waits for adds of this peer that are under way. */
  gc(options?: CallOptions): AsyncIterableIterator<CID>
  /**
   * Keeps `gc` of this peer waiting while `work` runs: for content that is stored in several calls and pinned at the end.
   */
  protect<T>(work: () => Promise<T>): Promise<T>
  /**
   * Puts a provider record out, and renews it for as long as the peer runs. Resolves when others have accepted it. Retryable
   * `NO_PEERS` while no peer is there to take it.
   */
  provide(cid: CidInput, options?: CallOptions): Promise<void>
  /** Ends the renewal, and what `add` provides in the background. Others may find the record until it expires. */
  unprovide(cid: CidInput, options?: CallOptions): Promise<void>
  /**
   * Asks other peers of the group (`createPeer({ receipts })`) to have all of the content now, to prove it and to sign. Resolves when
   * `replicas` peers have done so. The timeout (default `timeouts.put`) starts again with each acknowledgement; a default one
   * leaves time for large content.
   *
   * Throws `NO_PEERS` when no willing peer answers, `TIMEOUT` when too few are done in time, `NOT_FOUND` when the named peers lack the
   * content: all with `reached`. Throws as `get` when the content is not here and cannot be fetched, `UNSUPPORTED` without messages.
   */
  reach(cid: CidInput, options?: ReachOptions): Promise<Receipt>
  /** The peers that keep content for this one and answer now. What they say of themselves is not proven. */
  willing(options?: WillingOptions): Promise<readonly WillingPeer[]>
  /** Tells these peers (`peer.id`) that they need not keep the content for this one. They do not answer. */
  release(cid: CidInput, options: CallOptions & { peers: readonly string[] }): Promise<void>
  /** Other peers with a provider record, each once, at most `limit` (default 20). None is an empty iteration. */
  findProviders(cid: CidInput, options?: CallOptions & { limit?: number | undefined }): AsyncIterableIterator<PeerInfo>
}
