/**
 * A message of a topic as the network carries it. Both ends derive its name from its bytes, so they need not exchange
 * names.
 */
interface MessageTrace {
  /** The same at the publishing peer and at each receiving peer. */
  readonly message: string
  readonly topic: string
  readonly bytes: number
}

/** The traffic that one peer saw on the network. CIDs are text; ids of peers are those of the engine. */
export type Trace =
  /** The message was handed to the engine, which took `ms`. */
  | ({ readonly type: 'published'; readonly ms: number; readonly recipients?: number | undefined } & MessageTrace)
  /** `from`: the publisher, `via`: the connected peer that passed it on, each if the engine knows. */
  | ({
      readonly type: 'received'
      readonly from?: string | undefined
      readonly via?: string | undefined
    } & MessageTrace)
  /** The peer asks for a block that is not here. `from`: the peers that are asked first. */
  | { readonly type: 'want'; readonly cid: string; readonly from: readonly string[] }
  /**
   * The block was here `ms` after the request. If that call was given up and the block arrived anyway, this is reported
   * when the block is read. `bytes` is absent if the whole file was requested at once.
   */
  | { readonly type: 'block'; readonly cid: string; readonly ms: number; readonly bytes?: number | undefined }
  /** This peer has stored the block and serves it to others. */
  | { readonly type: 'have'; readonly cid: string; readonly bytes: number }
  /** Others can find a record that this peer has the content. */
  | { readonly type: 'provided'; readonly cid: string }
  /** Messages of the topic may be missing. */
  | { readonly type: 'gap'; readonly topic: string; readonly reason: string; readonly lasted?: number | undefined }
  /** A failed call is repeated. */
  | { readonly type: 'retry'; readonly operation: string; readonly subject: string; readonly attempt: number }
  | {
      readonly type: 'fault'
      readonly operation: string
      readonly subject: string
      readonly code: string
      readonly reason: string
    }
  | { readonly type: 'connected' | 'disconnected'; readonly peer: string }
  /** The engine is unavailable, is available again, or has a warning. */
  | { readonly type: 'degraded' | 'recovered' | 'warning'; readonly reason: string }
  /** Something from the network was refused. */
  | { readonly type: 'dropped'; readonly reason: string }

export interface TraceView {
  /** Milliseconds of the machine's monotonic clock, which all its processes share. */
  readonly at: number
  readonly trace: Trace
  /** How many traces of this type were left out since the last one, because there were too many in a second. */
  readonly leftOut?: number | undefined
}
