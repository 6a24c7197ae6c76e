import type { Identity, Peer } from '@p2pl/core'
import type { Database } from '@p2pl/store'
import type { CID } from 'multiformats/cid'

/** One signed, immutable member of a view: a DAG-CBOR block that names its parents. */
export interface Entry {
  readonly cid: CID
  /** Entries that it approves; empty only for entries without any. At most `maxParents`. */
  readonly parents: readonly CID[]
  /** 1 + the largest clock of its parents; 1 without parents. */
  readonly clock: number
  /** Peer id of the author, signature checked. */
  readonly author: string
  /** The application's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>
}

export type Validity = 'valid' | 'invalid'

export interface ViewOptions {
  readonly peer: Peer
  /** Topic name. Signatures are bound to it: an entry of one view is garbage in every other. */
  readonly topic: string
  /** Where entries and the index are kept: a folder (Node) or database name (browser), or an abstract-level database that nobody else uses. */
  readonly store: string | Database
  /** Author of what is appended here. Default: the peer's identity. */
  readonly identity?: Identity | undefined
  /**
   * Whether an entry may be part of the view at all: a pure function of the entry alone (form, sizes, author), asked before it is stored.
   * What depends on other entries (balances) is decided from the canonical order by the application, never here.
   */
  readonly validate?: ((entry: Entry) => Validity | Promise<Validity>) | undefined
  /** Most parents of an entry. Default 8. */
  readonly maxParents?: number | undefined
  /** Largest payload of an entry, bytes. Default 64 KiB. */
  readonly maxPayloadBytes?: number | undefined
  /** Mean time between beacons in ms; each is ± a quarter, and suppressed when an equal one was heard. Default 2,000. */
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
  /** A stored entry does not hash to its CID any more. It is fetched from others; `status().damaged` names it until it is whole again. */
  | { readonly type: 'damaged'; readonly cid: CID }
  /** The digest of this view or of what others report changed. */
  | { readonly type: 'digest'; readonly digest: Digest }

/** Equal sets of entries have equal digests: same root = same view. */
export interface Digest {
  /** Root of the index; the CID of the empty node for an empty view. */
  readonly root: CID
  readonly count: number
}

export interface ViewStatus {
  /** As last computed: appends since then are in `count` of the view, not in here yet. */
  readonly digest: Digest
  /** The newest, at most 64. */
  readonly heads: readonly CID[]
  /** Peers heard within the last few beacon periods, by what their last beacon claims: an equal root, or another one. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Those of `agreeing` that have proven to hold the entries, as `agreed` asks them to. */
  readonly proven: readonly string[]
  /** Entries that are named as parents but not here yet, and how long the oldest has been missing in ms. */
  readonly missing: number
  readonly oldestMissing?: number | undefined
  /** Entries received that wait for parents. */
  readonly pending: number
  readonly quarantined: number
  /** Stored entries that do not hash to their CIDs any more and are being fetched from others. */
  readonly damaged: readonly CID[]
  readonly dropped: number
}

export interface AppendOptions {
  /**
   * Entries that it approves; all must be in this view. Default: heads, at most `maxParents`, among them always the author's own latest
   * entry or one above it, appends still under way included. So the entries of one author stand in the order of the calls of `append`,
   * without a wait for each to be acknowledged.
   */
  readonly parents?: readonly CID[] | undefined
  /** Author of this entry. Default: the view's. */
  readonly identity?: Identity | undefined
  readonly signal?: AbortSignal | undefined
}

/** A replicated, append-only set of entries that converges on every peer. */
export interface View {
  readonly topic: string
  /**
   * Resolves when it is on disk and synced (group commit): what was acknowledged survives a crash. Announcing comes after.
   * `TOO_LARGE` over `maxPayloadBytes`, `INVALID_ARGUMENT` for a payload that is no Uint8Array, for parents that are not here and for
   * what `validate` refuses, `STORAGE` when the write failed.
   */
  append(payload: Uint8Array, options?: AppendOptions): Promise<Entry>
  get(cid: CID): Promise<Entry | undefined>
  has(cid: CID): Promise<boolean>
  /**
   * All entries in canonical order (`clock`, then CID bytes), or against it; with `after`, those that come after it in that direction.
   * A consistent snapshot wherever the database has them (all but IndexedDB). Each entry is hashed: one that is damaged is waited for
   * some beacon periods while others are asked for it, then the iteration ends with `STORAGE`, which names it.
   */
  entries(options?: {
    after?: CID | undefined
    reverse?: boolean | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Entry>
  /** Solid entries without children in canonical order: the newest `limit` (default 1,024), because anybody may make many. */
  heads(options?: { limit?: number | undefined }): readonly CID[]
  readonly count: number
  /** The digest of everything acknowledged so far. Index nodes are computed on demand; `STORAGE` where a damaged entry prevents it. */
  digest(): Promise<Digest>
  /**
   * Hands the nodes of the index, with the entries inside its leaves, to the backend and resolves when others can fetch them by CID:
   * from the root alone, `readView` reads the whole view. Entries have blocks of their own only while they are recent. `STORAGE` while
   * an entry is damaged and nobody gives it.
   */
  publishDigest(options?: { signal?: AbortSignal | undefined }): Promise<Digest>
  status(): ViewStatus
  /**
   * Resolves when at least `peers` other peers (default 1) have proven that they hold the entries of the present digest; asks them at once.
   * Each proof is made for this view's question and for the peer that gives it, so an echo does not count. It shows that the peer could read the
   * entries at that moment, not that it keeps them; and one holder of the entries can answer under many identities, which are free.
   */
  agreed(options?: { peers?: number | undefined; signal?: AbortSignal | undefined }): Promise<Digest>
  /**
   * Takes entries that came by another way (a CAR file): blocks of entries, or nodes of an index, in any order. Checked like those of the
   * network. Resolves when they are on disk or refused; counts entries, inner nodes count nothing.
   */
  import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options?: { signal?: AbortSignal | undefined }
  ): Promise<{ added: number; known: number; refused: number }>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
