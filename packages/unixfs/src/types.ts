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
  /** Relative, `/` between names: `docs/a.txt`. Parents need no entries of their own. */
  readonly path: string
  /** A file's bytes; absent for a directory (an empty one, or to give it `mode` and `mtime`). */
  readonly content?: DataSource | undefined
  /** Permission bits, 0 to 0o7777. Stored only where given, and then part of the CID. */
  readonly mode?: number | undefined
  /** Stored only where given, and then part of the CID. */
  readonly mtime?: Mtime | undefined
}

export interface AddProgress {
  /** Bytes of content read so far. */
  readonly bytes: number
  /** Files done so far. */
  readonly files: number
}

export interface AddDirectoryOptions {
  /** Ends the call with `ABORTED`, also while a source is silent. */
  signal?: AbortSignal | undefined
  /** Milliseconds without progress of sources and store after which the call ends with `TIMEOUT`. `Infinity` for none. Default 60,000. */
  timeout?: number | undefined
  /** Protect everything below the root from `gc`. Default true where the backend has pins; `UNSUPPORTED` where it has none and `pin: true` was given. */
  pin?: boolean | undefined
  onProgress?: ((progress: AddProgress) => void) | undefined
}

export interface AddDirectoryResult {
  /** The root directory. Equal to that of `ipfs add -r` under the `unixfs-v1-2025` profile. */
  readonly cid: CID
  /** Bytes of all blocks, as links to the root would say. */
  readonly size: number
}

/** A CID, or `cid/a/b.txt`. A leading `/ipfs/` or `ipfs://` is taken too. */
export type PathInput = CidInput

export interface Stat {
  readonly cid: CID
  /** `block`: content of a codec that is neither file nor directory. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'block'
  /** Bytes of content; absent for directories. */
  readonly size?: number | undefined
  /** Permission bits, where stored. */
  readonly mode?: number | undefined
  readonly mtime?: Mtime | undefined
  /** What a symlink points to. It is never followed. */
  readonly target?: string | undefined
}

/** What a directory says of an entry, and what else is known without fetching it. */
export interface Entry extends Omit<Stat, 'kind'> {
  readonly name: string
  /** Relative to where listing or walking began. */
  readonly path: string
  /** Absent where only the entry's own block tells it, and that block is not stored here. `size`, `mode`, `mtime` and `target` are absent then too. */
  readonly kind?: Stat['kind'] | undefined
  /** Bytes of all blocks of the entry, as the directory says (`Tsize`). Nobody has checked it. */
  readonly blockBytes?: number | undefined
}

/** An entry that was looked at. */
export type WalkEntry = Entry & Stat

export type ListOptions = Pick<ReadOptions, 'local' | 'providers'> & CallOptions

/** Folders over the blocks of a peer. Files alone are `peer.data`'s. */
export interface UnixFS {
  /** Stores a folder. Entries may come in any order; a path may occur once. */
  addDirectory(
    entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>,
    options?: AddDirectoryOptions
  ): Promise<AddDirectoryResult>
  /** The CID that a path leads to. `NOT_FOUND` where a name is not there. */
  resolve(path: PathInput, options?: ListOptions): Promise<CID>
  /**
   * The entries of one directory, in the order in which it holds them. Only blocks of the directory itself are fetched: the
   * size of a file of one block is what the directory says, and of an entry whose block is not stored here the kind may be
   * absent. An entry that no file can be named like is left out; when all others are listed, the error that names it is thrown.
   */
  ls(path: PathInput, options?: ListOptions): AsyncIterableIterator<Entry>
  /** The bytes of one file, streamed and verified. */
  get(path: PathInput, options?: ReadOptions): AsyncIterableIterator<Uint8Array>
  stat(path: PathInput, options?: ListOptions): Promise<Stat>
  /**
   * Everything below a directory, a directory before what it contains. Fetches directories and the roots of files of several
   * blocks. What cannot be read is left out; when all else is listed, the error that names it is thrown.
   */
  walk(path: PathInput, options?: ListOptions): AsyncIterableIterator<WalkEntry>
}
