import type { AbstractLevel } from 'abstract-level'
import type { Clock, Identity, Peer } from '@p2pl/core'
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
  /** Where entries and the index are kept: a folder (Node) or database name (browser), or an opened abstract-level database with binary keys and values. */
  readonly store: string | AbstractLevel<string | Uint8Array, Uint8Array, Uint8Array>
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
  readonly onEvent?: ((event: ViewEvent) => void) | undefined
  /** Default: the peer's clock. */
  readonly clock?: Clock | undefined
  /** For simulation only: a number in [0, 1). */
  readonly random?: (() => number) | undefined
}

export type ViewEvent =
  /** An entry is solid: valid, stored, all its parents present. */
  | { readonly type: 'entry'; readonly entry: Entry; readonly local: boolean }
  /** Something from the network was dropped. */
  | {
      readonly type: 'dropped'
      readonly reason: 'garbage' | 'forged' | 'oversized' | 'invalid' | 'clock' | 'overloaded' | 'quarantined'
      readonly cid?: CID | undefined
    }
  /** The digest of this view or of what others report changed. */
  | { readonly type: 'digest'; readonly digest: Digest }

/** Equal sets of entries have equal digests: same root = same view. */
export interface Digest {
  /** Root of the index; the CID of the empty node for an empty view. */
  readonly root: CID
  readonly count: number
}

export interface ViewStatus {
  readonly digest: Digest
  readonly heads: readonly CID[]
  /** Peers heard within the last few beacon periods, by what their last beacon said. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Entries that are named as parents but not here yet, and how long the oldest has been missing in ms. */
  readonly missing: number
  readonly oldestMissing?: number | undefined
  /** Entries received that wait for parents. */
  readonly pending: number
  readonly quarantined: number
  readonly dropped: number
}

/** A replicated, append-only set of entries that converges on every peer. */
export interface View {
  readonly topic: string
  /**
   * Appends an entry that approves the given parents (default: the current heads, at most `maxParents`).
   * Resolves when it is on disk and synced (group commit): what was acknowledged survives a crash. Announcing comes after.
   */
  append(
    payload: Uint8Array,
    options?: { parents?: readonly CID[] | undefined; signal?: AbortSignal | undefined }
  ): Promise<Entry>
  get(cid: CID): Promise<Entry | undefined>
  has(cid: CID): Promise<boolean>
  /** All entries in canonical order (`clock`, then CID bytes); with `after`, those that follow it. A consistent snapshot. */
  entries(options?: {
    after?: CID | undefined
    reverse?: boolean | undefined
    limit?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterableIterator<Entry>
  /** Solid entries without children, canonical order. */
  heads(): readonly CID[]
  readonly count: number
  /** The digest of everything acknowledged so far. Index nodes are computed on demand. */
  digest(): Promise<Digest>
  /** Hands the index nodes and entries of the current digest to the backend and resolves when others can fetch them by CID. */
  publishDigest(options?: { signal?: AbortSignal | undefined }): Promise<Digest>
  status(): ViewStatus
  /** Resolves when at least `peers` other peers (default 1) have reported an equal digest and nothing is missing. */
  agreed(options?: { peers?: number | undefined; signal?: AbortSignal | undefined }): Promise<Digest>
  /** Takes entries that came by another way (a CAR file); checked like those of the network. Resolves when they are solid or refused. */
  import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options?: { signal?: AbortSignal | undefined }
  ): Promise<{ added: number; known: number; refused: number }>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens (or resumes) a view and joins its topic. */
export type OpenView = (options: ViewOptions) => Promise<View>

/**
 * Reads a whole view from its root CID alone, through any source of blocks, checking every hash, signature, clock, parent and
 * the canonical shape of the index. Yields the entries in canonical order; throws `INVALID_CONTENT` at the first contradiction.
 */
export type ReadView = (
  root: CID,
  source: { topic: string; getBlock: (cid: CID) => Promise<Uint8Array> }
) => AsyncIterableIterator<Entry>
