import type { P2plError } from '@p2pl/core/backend'
import type { AbstractLevel } from 'abstract-level'

export type Bytes = Uint8Array<ArrayBuffer>

/** An abstract-level database. The store passes its own encodings with each call. */
export type Database = AbstractLevel<string | Uint8Array, Uint8Array, Uint8Array>

export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export interface Range {
  readonly gt?: Uint8Array | undefined
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly lte?: Uint8Array | undefined
  readonly reverse?: boolean | undefined
  readonly limit?: number | undefined
}

export interface WriteOptions {
  /**
   * Whether to resolve only when the write is on the disk, and not just with the operating system. Default: as
   * `durability` says.
   */
  readonly sync?: boolean | undefined
  /**
   * How much of the reserve for a full disk the write may use: `most` when its owner cannot continue without it, `all`
   * when it makes room later. Default: `all` for a write that only removes, none for any other.
   */
  readonly reserve?: 'most' | 'all' | undefined
}

/** Events that a store reports outside of any call. */
export type StoreEvent =
  /** A write failed and the store refuses further writes. Reads continue where they can. */
  | { readonly type: 'degraded'; readonly error: P2plError }
  /** Writes work again. */
  | { readonly type: 'recovered' }
  /** A message for a person; everything still works. */
  | { readonly type: 'warning'; readonly message: string }

export interface StoreOptions {
  /** A folder in Node, a database name within the origin in browsers, or a database that nobody else uses. */
  readonly location: string | Database
  /** The folder around `location`. In a new store it contains nothing but the folder `store` of `location`. */
  readonly around?: string | undefined
  /** The name of what the store holds and the version of its format. A folder with anything else is refused. */
  readonly format: { readonly name: string; readonly version: number }
  /**
   * What an acknowledged write survives: the end of the process, or a power failure too. With `power`, each write waits
   * for the disk.
   */
  readonly durability: 'process' | 'power'
  /**
   * What to do with a folder that is damaged or of another version, worded as the end of a sentence: "move the folder
   * away …".
   */
  readonly remedy: string
  /** The names of the calls in errors. */
  readonly operations: { readonly open: string; readonly read: string; readonly write: string }
  /** The name of the backend in errors. */
  readonly backend?: string | undefined
  /**
   * The range of keys whose values never change and carry their own proof, such as blocks by their hash. Their owner
   * verifies them on each read, so they are not verified when the folder is opened. Large ones are kept in separate
   * files.
   */
  readonly content?: { readonly gte: Uint8Array; readonly lt: Uint8Array } | undefined
  readonly report?: ((event: StoreEvent) => void) | undefined
}
