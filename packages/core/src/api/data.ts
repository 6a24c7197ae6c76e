import type { CID } from 'multiformats/cid'
import type { PeerInfo } from '../port/common.ts'
import type { Pin } from '../port/blocks.ts'
import type { GetOptions } from './blocks.ts'
import type { CallOptions, CidInput } from './common.ts'

/** One file's bytes. Chunks may be of any size. */
export type DataSource =
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>

export interface Progress {
  /** Bytes of content done so far. */
  readonly bytes: number
  /** Bytes of content in all, where known. */
  readonly total?: number | undefined
  /** Blocks done so far. */
  readonly blocks: number
}

export interface AddOptions extends CallOptions {
  /**
   * What to wait for. `local` (default): the content is stored here, as durably as the backend's `persistence` says.
   * `announced`: a provider record of the root was accepted by others.
   */
  until?: 'local' | 'announced' | undefined
  /** Protect it from `gc`. Default true. Ignored by nobody: `UNSUPPORTED` where the backend has no pins and `pin: true` was given. */
  pin?: boolean | undefined
  /** With `until: 'local'`: provide the root in the background, again until it succeeds. Default true where the backend can. */
  announce?: boolean | undefined
  /** Called after each batch that was stored. What it throws ends the call. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface AddResult {
  /** Equal for equal bytes on every backend (`unixfs-v1-2025`: CIDv1, sha2-256, raw leaves, 1 MiB chunks, 1,024 links). */
  readonly cid: CID
  /** Bytes of content. */
  readonly size: number
  readonly reached: 'local' | 'announced'
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
  /** `block`: content of a codec that is no file (DAG-CBOR …); it is read as its bytes. */
  readonly kind: 'file' | 'directory' | 'block'
  /** Bytes of content; absent for directories. */
  readonly size?: number | undefined
}

/** Content by CID: files of any size, verified block by block, whatever the backend says. */
export interface Data {
  /** Stores one file. What the source throws is thrown as it is. */
  add(source: DataSource, options?: AddOptions): Promise<AddResult>
  /** The file's bytes in order, streamed. Also of UnixFS files that others laid out otherwise. Directories: `@p2pl/unixfs`. */
  get(cid: CidInput, options?: ReadOptions): AsyncIterableIterator<Uint8Array>
  /** The whole content as one array; `TOO_LARGE` beyond `maxBytes`, default 64 MiB. */
  bytes(cid: CidInput, options?: ReadOptions & { maxBytes?: number | undefined }): Promise<Uint8Array>
  /** Kind and size, from the root alone. `UNSUPPORTED` for a symlink. */
  stat(cid: CidInput, options?: GetOptions): Promise<DataStat>
  /** Whether everything below the CID is stored here; with `deep: false` only the block itself. */
  has(cid: CidInput, options?: CallOptions & { deep?: boolean | undefined }): Promise<boolean>
  /** Protects from `gc` and `delete`, what is below it too (`recursive`, default true); what is missing is fetched first. */
  pin(cid: CidInput, options?: CallOptions & { recursive?: boolean | undefined }): Promise<void>
  /** Ends a pin. Not an error when there is none. */
  unpin(cid: CidInput, options?: CallOptions): Promise<void>
  /** The pins themselves, not what they protect. */
  pins(options?: CallOptions): AsyncIterableIterator<Pin>
  /** Removes every block that no pin protects and yields each CID. */
  gc(options?: CallOptions): AsyncIterableIterator<CID>
  /** Tells others that this peer has it, once. Retryable `NO_PEERS` while nobody is there to take the record. */
  provide(cid: CidInput, options?: CallOptions): Promise<void>
  /** Stops telling, and cancels what `add` announces in the background. Others may find the record until it expires. */
  unprovide(cid: CidInput, options?: CallOptions): Promise<void>
  /** Others that say they have it, each once, at most `limit` (default the backend's, 20). None is an empty iteration. */
  findProviders(cid: CidInput, options?: CallOptions & { limit?: number | undefined }): AsyncIterableIterator<PeerInfo>
}
