import type { P2plError } from '@p2pl/core/backend'
import type { AbstractLevel } from 'abstract-level'

export type Bytes = Uint8Array<ArrayBuffer>

/** An abstract-level database; the store passes its own encodings with each call. */
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
  /** Resolve when the write is on the disk, not only with the operating system. Default: what `durability` says. */
  readonly sync?: boolean | undefined
  /**
   * How much of what is reserved for a full disk the write may use: `most` where its owner cannot go on without it, `all` where it
   * makes room later. Default: `all` for a write that only removes, none for any other.
   */
  readonly reserve?: 'most' | 'all' | undefined
}

/** What a store reports outside of any call. */
export type StoreEvent =
  /** A write failed and the store refuses more. Reads go on where they can. */
  | { readonly type: 'degraded'; readonly error: P2plError }
  /** Writes go on. */
  | { readonly type: 'recovered' }
  /** Something a person should know; nothing stopped working. */
  | { readonly type: 'warning'; readonly message: string }

export interface StoreOptions {
  /** A folder in Node, a name within the origin in browsers, or a database that nobody else uses. */
  readonly location: string | Database
  /** The folder that has the folder `store` of `location` in it, and nothing else when the store is new. */
  readonly around?: string | undefined
  /** What the store holds, and the version of its format: a folder with anything else is refused. */
  readonly format: { readonly name: string; readonly version: number }
  /**
   * What an acknowledged write survives: the end of the process, or loss of power, too. `power` waits for the disk in each write.
   */
  readonly durability: 'process' | 'power'
  /** What to do with a folder that is damaged or of another version, as the end of a sentence: "move the folder away …". */
  readonly remedy: string
  /** The names of the calls in errors. */
  readonly operations: { readonly open: string; readonly read: string; readonly write: string }
  /** The name of the backend in errors. */
  readonly backend?: string | undefined
  /**
   * Keys whose values never change and carry their own proof, such as blocks by their hash: their owner verifies them when it
   * reads them, they are not verified when the folder is opened, and large ones are kept in files of their own.
   */
  readonly content?: { readonly gte: Uint8Array; readonly lt: Uint8Array } | undefined
  readonly report?: ((event: StoreEvent) => void) | undefined
}
