import type { CID } from 'multiformats/cid'
import type { CallOptions } from './common.ts'

/** One peer's signed statement that it has a whole DAG. Anybody can check it with {@link verifyAcknowledgement}. */
export interface Acknowledgement {
  readonly cid: CID
  /** `peer.id` of the peer that has the content and signed. */
  readonly peer: string
  /** `peer.id` of the peer that asked. */
  readonly asker: string
  /** Bytes and number of the DAG's blocks. Each block counts once. */
  readonly bytes: number
  readonly blocks: number
  /** How many blocks the proof covers: all of them, or as many as the challenge asked for. */
  readonly challenged: number
  /** When it was signed: milliseconds since the Unix epoch on the signer's wall clock, a hint. */
  readonly at: number
  /** How many milliseconds after `at` the signer promises to keep the content. */
  readonly term: number
  /** The signed form, to store or to pass on. */
  readonly encoded: Uint8Array
}

/** What the content has reached so far. */
export interface Receipt {
  readonly cid: CID
  /**
   * `local`: stored here. `provided`: other peers have accepted a provider record. `retrievable`: at least one other peer has fetched and
   * verified all of the content, and has passed the challenge.
   */
  readonly reached: 'local' | 'provided' | 'retrievable'
  /** One for each peer that acknowledged. */
  readonly acknowledgements: readonly Acknowledgement[]
  /** Milliseconds that the call took. */
  readonly took: number
}

export interface GoalOptions {
  /** How many other peers must have it: 1 to 64. Default 1. */
  readonly replicas?: number | undefined
  /**
   * How many random blocks each peer must prove that it has; at least 1. Default 256, which covers every block of content
   * up to about 256 MiB.
   */
  readonly challenge?: number | undefined
  /**
   * Ask only these peers, by `peer.id`, at most 256. Default: all willing peers. Identities are free, so only a list
   * prevents one machine from counting twice.
   */
  readonly peers?: readonly string[] | undefined
}

export interface ReachOptions extends CallOptions, GoalOptions {
  /** Whether peers that lack the content may fetch it now. Default true; false asks only peers that already have it. */
  readonly fetch?: boolean | undefined
}

/** A peer that keeps content for this one. */
export interface WillingPeer {
  /** `peer.id`. */
  readonly peer: string
  /** Bytes that the peer would still accept. */
  readonly free: number
  /** Whether the peer claims to have the content that was asked about. Only `reach` proves it. */
  readonly has: boolean
}

/** What this peer keeps for others. */
export interface KeepOptions {
  /** Peers that it keeps content for, by `peer.id`. */
  readonly peers?: readonly string[] | undefined
  /** Bytes that it keeps for all `peers` together, and for each of them. `maxBytesEach` defaults to `maxBytes`. */
  readonly maxBytes?: number | undefined
  readonly maxBytesEach?: number | undefined
  /** Bytes that it keeps for all other peers together, and for each of them. Default 0: nothing. Identities are free, so strangers may use up all of it. */
  readonly maxStrangerBytes?: number | undefined
  readonly maxStrangerBytesEach?: number | undefined
  /** How many milliseconds it keeps content that nobody asks for again, counted while it runs. Default 24 hours. */
  readonly term?: number | undefined
  /** Where the records of kept content are stored. Default: the backend's folder. An external daemon has none and needs this option. */
  readonly records?: RecordStore | undefined
}

/**
 * A place for small records by name, such as files in a folder or rows in a database. A record is durable once its `set`
 * has resolved.
 */
export interface RecordStore {
  /** `undefined` when there is no record of this name. */
  get(name: string): Promise<Uint8Array | undefined>
  set(name: string, record: Uint8Array): Promise<void>
}

export interface ReceiptOptions {
  /** Name of the group, 1 to 64 characters. A peer asks only peers of its own group. Default: one group for everybody. */
  readonly group?: string | undefined
  /**
   * What this peer fetches and keeps for others. A peer with this option keeps the process alive, as a subscription does.
   * Default: nothing. `{}` accepts no new content, but keeps the promises of an earlier run until they end.
   */
  readonly keep?: KeepOptions | undefined
}

export interface WillingOptions extends CallOptions {
  /** Content to ask about. */
  readonly cid?: CID | string | undefined
  /** How many bytes the peers should have room for. Default 0. */
  readonly bytes?: number | undefined
  /** How many milliseconds to wait for answers. Default 2,000. */
  readonly within?: number | undefined
}
