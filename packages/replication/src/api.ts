import type { CID } from 'multiformats/cid'
import type { CallOptions, CidInput, Peer, PeerInfo, P2plError } from '@p2pl/core'

export interface ReplicationOptions {
  readonly peer: Peer
  /** Remote pinning services; each counts as one peer that keeps content. */
  readonly services?: readonly KeepingService[] | undefined
  /** How often it asks which peers are there, in milliseconds. Default 5 minutes. Each time every peer sends a small message to the group. */
  readonly watchEvery?: number | undefined
  /** How often each peer must prove its copies again, in milliseconds. Must be less than the `term` of the peers. Default 6 hours. */
  readonly proveEvery?: number | undefined
  /** A peer that is silent for this many milliseconds has left: at least twice `watchEvery`. Default 30 minutes. */
  readonly grace?: number | undefined
  /** Most bytes of content that peers are asked to copy in an hour. Default 8 GiB. */
  readonly maxBytesPerHour?: number | undefined
  /** Most copies that peers are asked for in an hour. Default 1,024. */
  readonly maxCopiesPerHour?: number | undefined
  /** Most CIDs that are kept. Default 65,536. */
  readonly maxKept?: number | undefined
}

export interface Range {
  /** With fewer copies than this at other peers and services, more are made: at least 1. */
  readonly min: number
  /** With more copies than this, some are given up: at least `min`, at most 64. Default `min` + 2. */
  readonly max?: number | undefined
}

/** One peer or service that keeps content. */
export interface Copy {
  /** `peer.id`, or the name of the service. */
  readonly by: string
  readonly kind: 'peer' | 'service'
  /** Milliseconds since the peer last proved that it has the content, or since the service said so. */
  readonly age: number
  /** Whether the peer or service still answers. If not, the copy is given up after `grace`. */
  readonly answers: boolean
}

export interface KeepStatus {
  readonly cid: CID
  readonly min: number
  readonly max: number
  /** Bytes of its blocks, once known. */
  readonly bytes: number | undefined
  readonly copies: readonly Copy[]
  /** How many copies are missing to reach `min`. */
  readonly missing: number
  /**
   * Why copies are missing. `new`: not begun yet. `no-peers`: no peer or service would take one. `failed`: one that was asked failed.
   * `budget`: a budget is used up. `paused`: replication is switched off.
   */
  readonly why?: 'new' | 'no-peers' | 'failed' | 'budget' | 'paused' | undefined
  /** What went wrong last. */
  readonly error?: P2plError | undefined
}

export type ReplicationEvent =
  | { readonly type: 'change'; readonly status: KeepStatus }
  | { readonly type: 'warning'; readonly error: P2plError }

/** Keeps content at other peers. */
export interface Replication {
  /** Starts to keep copies; a second call changes the range. The mark is not stored: call it again after a restart. */
  keep(cid: CidInput, range: Range): void
  /** Stops keeping copies, and tells the peers and services that have them. */
  release(cid: CidInput, options?: CallOptions): Promise<void>
  /** `undefined` for a CID that is not kept. */
  status(cid: CidInput): KeepStatus | undefined
  /** The status of each kept CID. */
  statuses(): readonly KeepStatus[]
  /** The off switch: until `resume`, peers are not asked, and no copy is made or given up. */
  pause(): void
  resume(): void
  readonly paused: boolean
  onEvent(listener: (event: ReplicationEvent) => void): () => void
  /** Ends all work under way. Copies stay where they are. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A place that keeps content, with an interface of its own. What it says is believed. */
export interface KeepingService {
  readonly name: string
  /** Resolves when the service has all of the content. `providers`: peers that have it. Throws a `P2plError`. */
  keep(cid: CID, options: { readonly providers: readonly PeerInfo[]; readonly signal: AbortSignal }): Promise<void>
  /** Whether the service has all of the content. */
  has(cid: CID, options: { readonly signal: AbortSignal }): Promise<boolean>
  release(cid: CID, options: { readonly signal: AbortSignal }): Promise<void>
}
