import type { CID } from 'multiformats/cid'
import type { CallOptions, CidInput, Peer, PeerInfo, P2plError } from '@p2pl/core'

export interface ReplicationOptions {
  readonly peer: Peer
  /** Remote pinning services. Each counts as one peer that keeps content. */
  readonly services?: readonly KeepingService[] | undefined
  /**
   * How often to ask which peers are there, in milliseconds. Each time, every peer sends a small message to the group.
   * Default 5 minutes.
   */
  readonly watchEvery?: number | undefined
  /** How often each peer must prove its copies again, in milliseconds. Must be less than the `term` of the peers. Default 6 hours. */
  readonly proveEvery?: number | undefined
  /** A peer that is silent for this many milliseconds has left: at least twice `watchEvery`. Default 30 minutes. */
  readonly grace?: number | undefined
  /** Maximum bytes of content that peers are asked to copy per hour. Default 8 GiB. */
  readonly maxBytesPerHour?: number | undefined
  /** Maximum number of copies that peers are asked for per hour. Default 1,024. */
  readonly maxCopiesPerHour?: number | undefined
  /** Maximum number of CIDs that are kept. Default 65,536. */
  readonly maxKept?: number | undefined
}

export interface Range {
  /** Minimum number of copies at other peers and services; at least 1. If there are fewer, more are made. */
  readonly min: number
  /** Maximum number of copies: at least `min`, at most 64. If there are more, some are given up. Default `min` + 2. */
  readonly max?: number | undefined
}

/** One peer or service that keeps content. */
export interface Copy {
  /** `peer.id`, or the name of the service. */
  readonly by: string
  readonly kind: 'peer' | 'service'
  /** Milliseconds since the peer last proved that it has the content, or since the service last confirmed it. */
  readonly age: number
  /** Whether the peer or service still answers. If a peer does not, its copy is given up after `grace`. */
  readonly answers: boolean
}

export interface KeepStatus {
  readonly cid: CID
  readonly min: number
  readonly max: number
  /** Bytes of the content's blocks, if known. */
  readonly bytes: number | undefined
  readonly copies: readonly Copy[]
  /** How many copies are missing to reach `min`. */
  readonly missing: number
  /**
   * Why copies are missing. `new`: work has not begun yet. `no-peers`: no peer or service would take one. `failed`: one
   * that was asked failed. `budget`: a budget is used up. `paused`: replication is paused.
   */
  readonly why?: 'new' | 'no-peers' | 'failed' | 'budget' | 'paused' | undefined
  /** The last error. */
  readonly error?: P2plError | undefined
}

export type ReplicationEvent =
  | { readonly type: 'change'; readonly status: KeepStatus }
  | { readonly type: 'warning'; readonly error: P2plError }

/** Keeps content at other peers. */
export interface Replication {
  /** Starts to keep copies. A second call changes the range. This request is not stored: repeat it after a restart. */
  keep(cid: CidInput, range: Range): void
  /** Stops keeping copies, and tells the peers and services that have them. */
  release(cid: CidInput, options?: CallOptions): Promise<void>
  /** `undefined` for a CID that is not kept. */
  status(cid: CidInput): KeepStatus | undefined
  /** The status of each kept CID. */
  statuses(): readonly KeepStatus[]
  /** Turns replication off until `resume`: no peers are asked, and no copy is made or given up. */
  pause(): void
  resume(): void
  readonly paused: boolean
  onEvent(listener: (event: ReplicationEvent) => void): () => void
  /** Ends all work. Copies stay where they are. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A place that keeps content and has its own interface. Its answers are trusted. */
export interface KeepingService {
  readonly name: string
  /** Resolves when the service has all of the content. `providers`: peers that have it. Throws a `P2plError`. */
  keep(cid: CID, options: { readonly providers: readonly PeerInfo[]; readonly signal: AbortSignal }): Promise<void>
  /** Whether the service has all of the content. */
  has(cid: CID, options: { readonly signal: AbortSignal }): Promise<boolean>
  release(cid: CID, options: { readonly signal: AbortSignal }): Promise<void>
}
