import type { CID } from 'multiformats/cid'

/** A CID, or its text in any multibase. */
export type CidInput = CID | string

export interface CallOptions {
  /** Ends the call with `ABORTED` (`TIMEOUT` where it is a timeout signal). */
  signal?: AbortSignal | undefined
  /** Milliseconds after which the call ends with `TIMEOUT`. `Infinity` for none. Default: see {@link Timeouts} of the peer. */
  timeout?: number | undefined
  /** Passed unchanged to every backend call that this call makes. For layers such as tracing. */
  context?: unknown
}

/**
 * Default timeouts in milliseconds, one for each kind of call. The time of a read or a write starts again with each progress, that of
 * any other call starts with the call.
 */
export interface Timeouts {
  /** Content is read: from one block to the next. Default 30,000. */
  readonly get: number
  /** Content is added: from the last progress of source, store or network. Default 60,000. */
  readonly put: number
  /** A message is published: until there is a recipient and the engine has the message. Default 10,000. */
  readonly publish: number
  /** A topic is joined, `ready`, `peers`. Default 30,000. */
  readonly subscribe: number
  /** provide, unprovide, findProviders, findPeer, connect, disconnect, connections. Default 60,000. */
  readonly routing: number
  /** has, delete, pin, unpin, pins, gc: from one answer to the next. Default 60,000. */
  readonly store: number
  /** Start and stop of the backend. Default 60,000. */
  readonly lifecycle: number
}
