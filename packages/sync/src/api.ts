import type { Identity, Peer } from '@p2pl/core'
import type { Database } from '@p2pl/store'
import type { CID } from 'multiformats/cid'

/** One signed, immutable element of a view: a DAG-CBOR block that names its parents. */
export interface Entry {
  readonly cid: CID
  /** Earlier entries that this one approves: 0 to `maxParents` of them. */
  readonly parents: readonly CID[]
  /** 1 + the largest clock of its parents; 1 without parents. */
  readonly clock: number
  /** Peer id of the author. The author signed this entry, or a later entry of their own that names it. */
  readonly author: string
  /** The application's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>
}

export type Validity = 'valid' | 'invalid'

export interface ViewOptions {
  readonly peer: Peer
  /** Topic name. Signatures are bound to it, so an entry of one view is invalid in every other view. */
  readonly topic: string
  /**
   * Where entries and the index are kept: a folder (Node), a database name (browser), or an abstract-level database
   * that nobody else uses.
   */
  readonly store: string | Database
  /** Author of the entries appended here. Default: the peer's identity. */
  readonly identity?: Identity | undefined
  /**
   * Whether an entry may be part of the view: a pure function of the entry alone (form, sizes, author), called before it is stored.
   * Rules about other entries (balances) belong to the application, which applies them in canonical order.
   */
  readonly validate?: ((entry: Entry) => Validity | Promise<Validity>) | undefined
  /** The most parents that an entry may have. Default 8. */
  readonly maxParents?: number | undefined
  /** Largest payload of an entry in bytes. Default 64 KiB. */
  readonly maxPayloadBytes?: number | undefined
  /**
   * Mean time between beacons in ms, each ± a quarter. A beacon is skipped if this view heard an equal one. Default
   * 2,000.
   */
  readonly beaconPeriod?: number | undefined
  /** Called in order. An error that it throws is ignored. */
  readonly onEvent?: ((event: ViewEvent) => void) | undefined
}

export type ViewEvent =
  /**
   * An entry is solid: valid, stored and synced, all its parents present. Parents come before children; the event for
   * an own entry comes before `append` resolves.
   */
  | { readonly type: 'entry'; readonly entry: Entry; readonly local: boolean }
  /** Something from the network was dropped. */
  | {
      readonly type: 'dropped'
      readonly reason: 'garbage' | 'forged' | 'oversized' | 'invalid' | 'clock' | 'overloaded' | 'quarantined'
      readonly cid?: CID | undefined
    }
  /** A stored entry no longer hashes to its CID. It is fetched from other peers; `status().damaged` names it until it is repaired. */
  | { readonly type: 'damaged'; readonly cid: CID }
  /** The digest of this view changed, or a digest that another peer reports. */
  | { readonly type: 'digest'; readonly digest: Digest }

/** Equal sets of entries have equal digests: same root = same view. */
export interface Digest {
  /** Root of the index; the CID of the empty node for an empty view. */
  readonly root: CID
  readonly count: number
}

export interface ViewStatus {
  /** The last computed digest. Entries appended since then are in the view's `count`, but not in this digest. */
  readonly digest: Digest
  /** The newest heads, at most 64. */
  readonly heads: readonly CID[]
  /**
   * Peers heard within the last few beacon periods: `agreeing` reported this view's root in their last beacon,
   * `diverging` another root.
   */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Peers of `agreeing` that proved, when `agreed` asked, that they hold the entries. */
  readonly proven: readonly string[]
  /**
   * The number of entries that are named as parents but are not here yet, and for how many ms the oldest has been
   * missing.
   */
  readonly missing: number
  readonly oldestMissing?: number | undefined
  /** The number of received entries that wait for parents. */
  readonly pending: number
  readonly quarantined: number
  /** CIDs of stored entries that no longer hash to their CIDs and are being fetched from other peers. */
  readonly damaged: readonly CID[]
  readonly dropped: number
}

export interface AppendOptions {
  /**
   * Entries that the new one approves; all must be in this view. Default: at most `maxParents` heads. They always
   * include the author's latest entry, or a descendant of it, even if its append is still running. So the entries of
   * one author are in the order of the `append` calls, even if the calls do not wait for each other.
   */
  readonly parents?: readonly CID[] | undefined
  /** Author of this entry. Default: the view's. */
  readonly identity?: Identity | undefined
  readonly signal?: AbortSignal | undefined
}

/** An entry, and its place in the order in which entries were written to one store. */
export interface Written {
  readonly place: number
  readonly entry: Entry
}

/** A replicated, append-only set of entries that converges to the same set on every peer. */
export interface View {
  readonly topic: string
  /**
   * Resolves when the entry is on disk and synced (group commit), so an acknowledged entry survives a crash. It is
   * announced afterwards. Throws `TOO_LARGE` over `maxPayloadBytes`, `STORAGE` when the write fails, and
   * `INVALID_ARGUMENT` for a payload that is not a Uint8Array, for parents that are not in this view, and for an entry
   * that `validate` refuses.
   */
  append(payload: Uint8Array, options?: AppendOptions): Promise<Entry>
  get(cid: CID): Promise<Entry | undefined>
  has(cid: CID): Promise<boolean>
  /**
   * All entries in canonical order (`clock`, then CID bytes) or in reverse. With `after`, only the entries that come
   * after that one in the chosen direction. A consistent snapshot if the database supports snapshots (IndexedDB does
   * not). Each entry is hashed. When an entry is damaged, the iteration waits some beacon periods while it asks other
   * peers for the entry, then throws a `STORAGE` error that names it.
   */
  entries(options?: {
    after?: CID | undefined
    reverse?: boolean | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Entry>
  /**
   * Entries in the order in which they were written to this store. Parents come before children, and an entry that
   * arrived late comes late. With `after`, only the entries after that place. Places run from 1 to `count`: an app that
   * derives its own data from the entries can save the last place with that data, and reads no entry twice. A place is
   * valid only for its {@link store}. Damaged entries are handled as in {@link entries}.
   */
  written(options?: {
    after?: number | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Written>
  /**
   * Identifies the order of {@link written}. A store that was created again, or another peer's store, has a different
   * value.
   */
  readonly store: string
  /**
   * Solid entries without children, in canonical order: the newest `limit` (default 1,024), because any peer may create
   * many.
   */
  heads(options?: { limit?: number | undefined }): readonly CID[]
  readonly count: number
  /** The digest of all acknowledged entries. Index nodes are computed on demand. Throws `STORAGE` if a damaged entry prevents that. */
  digest(): Promise<Digest>
  /**
   * Hands the nodes of the index, with the entries inside its leaves, to the backend. Resolves when other peers can
   * fetch them by CID: `readView` then reads the whole view from the root alone. Nodes that later digests no longer
   * contain are served for at least eight more beacon periods. Only recent entries have their own blocks. Throws
   * `STORAGE` while an entry is damaged and no peer has supplied it.
   */
  publishDigest(options?: { signal?: AbortSignal | undefined }): Promise<Digest>
  status(): ViewStatus
  /**
   * Resolves when at least `peers` other peers (default 1) have proved that they hold the entries of the current
   * digest. It asks them at once. Each proof is made for this view's question and for the peer that sends it, so an
   * echo does not count. A proof shows that the peer could read the entries at that moment, not that it keeps them.
   * Identities are free, so one peer with the entries can answer under many identities.
   */
  agreed(options?: { peers?: number | undefined; signal?: AbortSignal | undefined }): Promise<Digest>
  /**
   * Adds entries that came another way (from a CAR file): blocks of entries or nodes of an index, in any order. They
   * are checked like entries from the network. Resolves when each entry is on disk or refused. The result counts
   * entries, not inner nodes.
   */
  import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options?: { signal?: AbortSignal | undefined }
  ): Promise<{ added: number; known: number; refused: number }>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
