import type { CID } from 'multiformats/cid'

/** A CID, or its text in any multibase. */
export type CidInput = CID | string

export interface CallOptions {
  /** Ends the call with `ABORTED` (`TIMEOUT` where it is a timeout signal). */
  signal?: AbortSignal | undefined
  /** Milliseconds after which the call ends with `TIMEOUT`. `Infinity` for none. Default: see {@link Deadlines} of the peer. */
  deadline?: number | undefined
}

/** Default deadlines in milliseconds. Reads and writes of any size count from the last progress, all others from the call. */
export interface Deadlines {
  /** From one block to the next while content is read. Default 30,000. */
  readonly get: number
  /** One batch of blocks into the own store. Default 60,000. */
  readonly put: number
  /** Until a recipient was there and the engine had the message. Default 10,000. */
  readonly publish: number
  /** A topic is joined, or `ready`. Default 30,000. */
  readonly subscribe: number
  /** provide, findProviders, findPeer, connect. Default 60,000. */
  readonly routing: number
  /** has, delete, unpin, pins, gc: from one answer to the next; pin: all of it, so give large remote DAGs more. Default 60,000. */
  readonly store: number
  /** Start and stop of the backend. Default 60,000. */
  readonly lifecycle: number
}
