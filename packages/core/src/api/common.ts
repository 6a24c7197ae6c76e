import type { CID } from 'multiformats/cid'

/** A CID, or its text in any multibase. */
export type CidInput = CID | string

export interface CallOptions {
  /** Ends the call with `ABORTED`, or with `TIMEOUT` if it is a timeout signal. */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds after which the call ends with `TIMEOUT`. `Infinity` means no timeout. Default: see {@link Timeouts} of
   * the peer.
   */
  timeout?: number | undefined
  /** Passed unchanged to every backend call that this call makes. For layers such as tracing. */
  context?: unknown
}

/**
 * Default timeouts in milliseconds, one for each kind of call. A read or a write ends when it has made no progress for this
 * long. Any other call ends this long after it began.
 */
export interface Timeouts {
  /** Reading content: from one block to the next. Default 30,000. */
  readonly get: number
  /** Adding content: from the last progress of the source, the store or the network. Default 60,000. */
  readonly put: number
  /** Publishing a message: until there is a recipient and the engine has the message. Default 10,000. */
  readonly publish: number
  /** Joining a topic, `ready` and `peers`. Default 30,000. */
  readonly subscribe: number
  /** provide, unprovide, findProviders, findPeer, connect, disconnect, connections. Default 60,000. */
  readonly routing: number
  /** has, delete, pin, unpin, pins, gc: from one answer to the next. Default 60,000. */
  readonly store: number
  /** Starting and stopping the backend. Default 60,000. */
  readonly lifecycle: number
}
