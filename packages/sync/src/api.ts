import type { Identity, Peer } from '@p2pl/core'
import type { Database } from '@p2pl/store'
import type { CID } from 'multiformats/cid'

/** One signed, immutable element of a view: a DAG-CBOR block that names its parents. */
export interface Entry {
  readonly cid: CID
  /** Earlier entries that this one approves; may be empty. At most `maxParents`. */
  readonly parents: readonly CID[]
  /** 1 + the largest clock of its parents; 1 without parents. */
  readonly clock: number
  /** Peer id of the author, who has signed this entry, or a later one of its own that names it. */
  readonly author: string
  /** The application's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>
}

export type Validity = 'valid' | 'invalid'

export interface ViewOptions {
  readonly peer: Peer
  /** Topic name. Signatures are bound to it: an entry of one view is garbage in every other. */
  readonly topic: string
  /** Where entries and the index are kept: a folder (Node), a database name (browser), or an abstract-level database that has no other user. */
  readonly store: string | Database
  /** Author of what is appended here. Default: the peer's identity. */
  readonly identity?: Identity | undefined
  /**
   * Whether an entry may be part of the view: a pure function of the entry alone (form, sizes, author), called before it is stored.
   * Rules about other entries (balances) belong to the application, which applies them in canonical order.
   */
  readonly validate?: ((entry: Entry) => Validity | Promise<Validity>) | undefined
  /** Most parents of an entry. Default 8. */
  readonly maxParents?: number | undefined
  /** Largest payload of an entry, bytes. Default 64 KiB. */
  readonly maxPayloadBytes?: number | undefined
  /** Mean time between beacons in ms, each ± a quarter. A beacon is skipped if an equal one was heard. Default 2,000. */
  readonly beaconPeriod?: number | undefined
  /** Called in order; what it throws is ignored. */
  readonly onEvent?: ((event: ViewEvent) => void) | undefined
}

export type ViewEvent =
  /** An entry is solid: valid, stored and synced, all its parents present. Parents come before children; own entries before `append` resolves. */
  | { readonly type: 'entry'; readonly entry: Entry; readonly local: boolean }
  /** Something from the network was dropped. */
  | {
      readonly type: 'dropped'
      readonly reason: 'garbage' | 'forged' | 'oversized' | 'invalid' | 'clock' | 'overloaded' | 'quarantined'
      readonly cid?: CID | undefined
    }
  /** A stored entry no longer hashes to its CID. It is fetched from other peers; `status().damaged` names it until it is repaired. */
  | { readonly type: 'damaged'; readonly cid: CID }
  /** The digest of this view changed, or one that another peer reports. */
  | { readonly type: 'digest'; readonly digest: Digest }

/** Equal sets of entries have equal digests: same root = same view. */
export interface Digest {
  /** Root of the index; the CID of the empty node for an empty view. */
  readonly root: CID
  readonly count: number
}

export interface ViewStatus {
  /** The last computed digest. Later appends count in the view's `count`, but not here yet. */
  readonly digest: Digest
  /** The newest, at most 64. */
  readonly heads: readonly CID[]
  /** Peers heard within the last few beacon periods, by what their last beacon claims: an equal root, or another one. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Peers of `agreeing` that have proven, when `agreed` asked, that they hold the entries. */
  readonly proven: readonly string[]
  /** Entries that are named as parents but are not here yet, and for how many ms the oldest has been missing. */
  readonly missing: number
  readonly oldestMissing?: number | undefined
  /** Entries received that wait for parents. */
  readonly pending: number
  readonly quarantined: number
  /** Stored entries that no longer hash to their CIDs and are being fetched from other peers. */
  readonly damaged: readonly CID[]
  readonly dropped: number
}

export interface AppendOptions {
  /**
   * Entries that the new one approves; all must be in this view. Default: at most `maxParents` heads. They always include the author's own
   * latest entry, or one above it, even if its append is still under way. So the entries of one author are in the order of the `append`
   * calls, even if the calls do not wait for each other.
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

/** A replicated, append-only set of entries that converges on every peer. */
export interface View {
  readonly topic: string
  /**
   * Resolves when the entry is on disk and synced (group commit), so an acknowledged entry survives a crash. It is announced afterwards.
   * Throws `TOO_LARGE` over `maxPayloadBytes`, `STORAGE` when the write failed, and `INVALID_ARGUMENT` for a payload that is no Uint8Array,
   * for parents that are not here, and for an entry that `validate` refuses.
   */
  append(payload: Uint8Array, options?: AppendOptions): Promise<Entry>
  get(cid: CID): Promise<Entry | undefined>
  has(cid: CID): Promise<boolean>
  /**
   * All entries in canonical order (`clock`, then CID bytes) or in reverse; with `after`, only those that come after that entry in that direction.
   * A consistent snapshot if the database supports them (all but IndexedDB). Each entry is hashed. For a damaged one the iteration waits
   * some beacon periods while other peers are asked for it, then throws a `STORAGE` error that names it.
   */
  entries(options?: {
    after?: CID | undefined
    reverse?: boolean | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Entry>
  /**
   * Entries in the order in which they were written to this store: parents come before children, and an entry that came late comes late. With
   * `after`, only those behind that place. The places are 1 to `count`, so an app that keeps something of its own about the entries keeps the last
   * place with it, and reads no entry twice. A place is good for its {@link store} alone. Damaged entries are treated as by {@link entries}.
   */
  written(options?: {
    after?: number | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Written>
  /** Names the order of {@link written}: a store that was made anew, or is another peer's, has another one. */
  readonly store: string
  /** Solid entries without children in canonical order: the newest `limit` (default 1,024), because anybody may make many. */
  heads(options?: { limit?: number | undefined }): readonly CID[]
  readonly count: number
  /** The digest of all acknowledged entries. Index nodes are computed on demand. Throws `STORAGE` if a damaged entry prevents that. */
  digest(): Promise<Digest>
  /**
   * Hands the nodes of the index, with the entries inside its leaves, to the backend. Resolves when other peers can fetch them by CID:
   * `readView` then reads the whole view from the root alone. Nodes that later digests no longer contain are served for at least eight
   * beacon periods. Only recent entries have blocks of their own. Throws `STORAGE` while an entry is damaged and no peer gives it.
   */
  publishDigest(options?: { signal?: AbortSignal | undefined }): Promise<Digest>
  status(): ViewStatus
  /**
   * Resolves when at least `peers` other peers (default 1) have proven that they hold the entries of the present digest; asks them at once.
   * Each proof is made for this view's question and for the peer that gives it, so an echo does not count. A proof shows that the peer could
   * read the entries at that moment, not that it keeps them. Identities are free, so one peer with the entries can answer under many.
   */
  agreed(options?: { peers?: number | undefined; signal?: AbortSignal | undefined }): Promise<Digest>
  /**
   * Takes entries that came by another way (a CAR file): blocks of entries, or nodes of an index, in any order. They are checked like those
   * of the network. Resolves when they are on disk or refused. The result counts entries, not inner nodes.
   */
  import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options?: { signal?: AbortSignal | undefined }
  ): Promise<{ added: number; known: number; refused: number }>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
