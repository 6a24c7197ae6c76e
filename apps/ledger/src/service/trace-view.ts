/** A message of a topic as the network carries it. Both ends name it by its bytes, so they need not speak of it. */
interface MessageTrace {
  /** The same at the peer that publishes it and at each one that receives it. */
  readonly message: string
  readonly topic: string
  readonly bytes: number
}

/** What one peer saw of the traffic on the network. CIDs are text, ids of peers are those of the engine. */
export type Trace =
  /** It was handed to the engine, which took `ms`. */
  | ({ readonly type: 'published'; readonly ms: number; readonly recipients?: number | undefined } & MessageTrace)
  /** `from`: who published it, `via`: the connected peer that passed it on, each where the engine knows. */
  | ({
      readonly type: 'received'
      readonly from?: string | undefined
      readonly via?: string | undefined
    } & MessageTrace)
  /** A block that is not here is asked for. `from`: the peers that are asked first. */
  | { readonly type: 'want'; readonly cid: string; readonly from: readonly string[] }
  /**
   * It was here `ms` after it was asked for. Where that call was given up and the block came all the same, this is told when it is
   * read. `bytes` is absent where all of a file was asked for at once.
   */
  | { readonly type: 'block'; readonly cid: string; readonly ms: number; readonly bytes?: number | undefined }
  /** This peer has stored the block, and gives it to others. */
  | { readonly type: 'have'; readonly cid: string; readonly bytes: number }
  /** Others can find out by a record that this peer has the content. */
  | { readonly type: 'provided'; readonly cid: string }
  /** Messages of the topic may be missing. */
  | { readonly type: 'gap'; readonly topic: string; readonly reason: string; readonly lasted?: number | undefined }
  /** A call that failed is made again. */
  | { readonly type: 'retry'; readonly operation: string; readonly subject: string; readonly attempt: number }
  | {
      readonly type: 'fault'
      readonly operation: string
      readonly subject: string
      readonly code: string
      readonly reason: string
    }
  | { readonly type: 'connected' | 'disconnected'; readonly peer: string }
  /** The engine cannot be used for now, is usable again, or has something to say. */
  | { readonly type: 'degraded' | 'recovered' | 'warning'; readonly reason: string }
  /** Something from the network was refused. */
  | { readonly type: 'dropped'; readonly reason: string }

export interface TraceView {
  /** Milliseconds of the machine's monotonic clock: all processes of one machine have the same. */
  readonly at: number
  readonly trace: Trace
  /** Traces of this type that were left out since the last one, because there were too many in a second. */
  readonly leftOut?: number | undefined
}
