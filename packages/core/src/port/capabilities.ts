/**
 * How a feature is provided: by the engine itself, by the adapter on top of it, or not at all.
 * A call or option of a feature that is `none` throws `UNSUPPORTED`.
 */
export type Support = 'native' | 'emulated' | 'none'

export type Runtime = 'node' | 'browser'

export interface MessageCapabilities {
  /**
   * `at-most-once`: messages may be lost or, rarely, doubled. `reliable`: a message reaches every subscriber that is
   * connected from before the publish until after it, or a gap is reported.
   */
  readonly delivery: 'at-most-once' | 'reliable'
  /** `sender`: messages of one sender arrive in the order of their publishes. */
  readonly ordering: 'none' | 'sender'
  /** Whether a subscriber may get messages that its own backend published. Core drops them either way. */
  readonly echo: boolean
  /** Whether two publishes of equal bytes are both delivered. Core makes every envelope unique; raw topics see the difference. */
  readonly duplicates: 'delivered' | 'collapsed'
  /** Largest payload that `publish` takes, in bytes. A larger one throws `TOO_LARGE` before anything is sent. */
  readonly maxMessageBytes: number
  /**
   * Smallest useful distance of two publishes, in milliseconds; 0 for none. Engines that drop bursts declare it, and
   * core coalesces messages accordingly. After one of more than 64 KiB core keeps the distance once for each 64 KiB.
   */
  readonly pacing: number
  /** `peers(topic)`. */
  readonly peers: Support
  /** Whether `publish` knows to how many participants it handed the message. */
  readonly recipients: Support
  /** Whether the backend reports known losses through `Subscriber.gap`. */
  readonly gaps: Support
  /** Whether `Subscriber.validate` is asked before a message is forwarded to others. */
  readonly validation: Support
  /** Whether `IncomingMessage.from` is present, and whether the engine has verified it. */
  readonly sender: 'verified' | 'claimed' | 'none'
}

export interface BlockCapabilities {
  /** Largest block that `put` takes and `get` returns, in bytes. At least 1 MiB + 64 KiB. */
  readonly maxBlockBytes: number
  /** What a resolved `put` survives: the process's end (`process`), power loss (`power`), or nothing (`none`). */
  readonly persistence: 'none' | 'process' | 'power'
  /** Whether `get` asks other participants when the block is not stored here. */
  readonly remote: boolean
  /** Whether blocks that `get` fetched from others are kept in the store. */
  readonly keepsFetched: boolean
  /** `pin`, `unpin`, `pins`. */
  readonly pins: Support
  /** `gc`. */
  readonly gc: Support
  /** `getDag`: all blocks below a root in one call. */
  readonly dag: Support
  /** Codes (multicodec) of the multihashes that `put` and `get` take. sha2-256 (0x12) and identity-free stores are the minimum. */
  readonly hashes: readonly number[]
}

export interface RoutingCapabilities {
  readonly provide: Support
  readonly unprovide: Support
  readonly findProviders: Support
  readonly findPeer: Support
  readonly connect: Support
  /** How long others may find a provider record without it being provided again, in milliseconds; `Infinity` for ever. */
  readonly recordLifetime: number
}

/**
 * What a backend promises, as data. The conformance kit checks every field: that what is declared works, and that
 * what is `none` is refused.
 */
export interface Capabilities {
  readonly runtimes: readonly Runtime[]
  readonly messages?: MessageCapabilities | undefined
  readonly blocks?: BlockCapabilities | undefined
  readonly routing?: RoutingCapabilities | undefined
}
