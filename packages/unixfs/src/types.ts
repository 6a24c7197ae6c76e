import type { CallOptions, CidInput, DataSource, Peer, ReadOptions } from '@p2pl/core'
import type { CID } from 'multiformats/cid'

/** The part of a peer that folders need. */
export type UnixFSPeer = Pick<Peer, 'blocks' | 'data' | 'capabilities' | 'environment'>

/** Seconds since the Unix epoch, and nanoseconds beyond them. */
export interface Mtime {
  readonly secs: bigint
  readonly nsecs?: number | undefined
}

export interface DirectoryEntry {
  /** Relative, with `/` between names: `docs/a.txt`. Parents need no entries. */
  readonly path: string
  /** A file's bytes; absent for a directory (an empty one, or to give it `mode` and `mtime`). */
  readonly content?: DataSource | undefined
  /** Permission bits, 0 to 0o7777. Stored only if given, and then part of the CID. */
  readonly mode?: number | undefined
  /** Stored only if given, and then part of the CID. */
  readonly mtime?: Mtime | undefined
}

export interface AddProgress {
  /** Bytes of content read so far. */
  readonly bytes: number
  /** Files done so far. */
  readonly files: number
}

export interface AddDirectoryOptions {
  /** Ends the call with `ABORTED`, even while a source is silent. */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds without progress of sources and store after which the call ends with `TIMEOUT`. `Infinity` means no
   * timeout. Default 60,000.
   */
  timeout?: number | undefined
  /**
   * Protect everything below the root from `gc`. Default: true if the backend has pins. `pin: true` throws `UNSUPPORTED` if
   * it has none.
   */
  pin?: boolean | undefined
  onProgress?: ((progress: AddProgress) => void) | undefined
}

export interface AddDirectoryResult {
  /** The root directory. The same as with `ipfs add -r` under the `unixfs-v1-2025` profile. */
  readonly cid: CID
  /** Bytes of all blocks, as in the size of a link to the root. */
  readonly size: number
}

/** A CID, or `cid/a/b.txt`. A leading `/ipfs/` or `ipfs://` is accepted as well. */
export type PathInput = CidInput

export interface Stat {
  readonly cid: CID
  /** `block`: content of a codec that is neither file nor directory. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'block'
  /** Bytes of content; absent for directories. */
  readonly size?: number | undefined
  /** Permission bits, if stored. */
  readonly mode?: number | undefined
  readonly mtime?: Mtime | undefined
  /** The target of a symlink. It is never followed. */
  readonly target?: string | undefined
}

/** What a directory says about an entry, and what else is known without fetching the entry. */
export interface Entry extends Omit<Stat, 'kind'> {
  readonly name: string
  /** Relative to the start of the listing or walk. */
  readonly path: string
  /**
   * Absent if only the entry's own block tells it and that block is not stored here. `size`, `mode`, `mtime` and `target`
   * are then absent, too.
   */
  readonly kind?: Stat['kind'] | undefined
  /** Bytes of all blocks of the entry, according to the directory (`Tsize`). Not verified. */
  readonly blockBytes?: number | undefined
}

/** An entry whose own block was looked at. */
export type WalkEntry = Entry & Stat

export type ListOptions = Pick<ReadOptions, 'local' | 'providers'> & CallOptions

/** Folders on top of a peer's blocks. For single files use `peer.data`. */
export interface UnixFS {
  /** Stores a folder. Entries may come in any order, and each path may occur once. */
  addDirectory(
    entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>,
    options?: AddDirectoryOptions
  ): Promise<AddDirectoryResult>
  /** The CID that a path leads to. Throws `NOT_FOUND` if a name does not exist. */
  resolve(path: PathInput, options?: ListOptions): Promise<CID>
  /**
   * The entries of one directory, in its own order. Fetches only blocks of the directory itself: the size of a file of one
   * block is the size that the directory states, and the kind of an entry may be absent if its block is not stored here. An
   * entry with an impossible file name is left out. When all others are listed, the error that names it is thrown.
   */
  ls(path: PathInput, options?: ListOptions): AsyncIterableIterator<Entry>
  /** The bytes of one file, streamed and verified. */
  get(path: PathInput, options?: ReadOptions): AsyncIterableIterator<Uint8Array>
  stat(path: PathInput, options?: ListOptions): Promise<Stat>
  /**
   * Everything below a directory. Each directory comes before its contents. Fetches directories, and the roots of files of
   * several blocks. Entries that cannot be read are left out. When everything else is listed, the error that names them is
   * thrown.
   */
  walk(path: PathInput, options?: ListOptions): AsyncIterableIterator<WalkEntry>
}
