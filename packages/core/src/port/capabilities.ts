/**
 * How a feature is provided: by the engine itself, by the adapter on top of it, or not at all. A call or an option that
 * needs a feature with `none` throws `UNSUPPORTED`.
 */
export type Support = 'native' | 'emulated' | 'none'

export interface MessageCapabilities {
  /**
   * `at-most-once`: messages may be lost. `reliable`: a message reaches every subscriber that stays connected from before
   * the publish until after it, or a gap is reported. Core repeats the end of a stream only if messages may be lost.
   */
  readonly delivery: 'at-most-once' | 'reliable'
  /** `sender`: messages of one sender arrive in the order of their publishes, so core reports a missing message at once. */
  readonly ordering: 'none' | 'sender'
  /**
   * Whether a subscriber may get messages that its own backend published. Core drops them on raw topics; on signed topics
   * it recognises them by their sender.
   */
  readonly echo: boolean
  /** Largest payload that `publish` takes, in bytes. A larger one throws `TOO_LARGE` before anything is sent. */
  readonly maxMessageBytes: number
  /**
   * Smallest useful pause between two publishes of this backend, over all topics, in milliseconds; 0 means no pause.
   * Engines that drop bursts declare it, and core coalesces messages. After a publish of more than 64 KiB core makes one
   * such pause for each 64 KiB.
   */
  readonly pacing: number
  /** `peers(topic)`. */
  readonly peers: Support
  /** Whether `publish` knows how many peers it handed the message to. */
  readonly recipients: Support
  /** Whether the backend reports known losses through `Subscriber.gap`, and changes of state through `Subscriber.state`. */
  readonly gaps: Support
  /** Whether the engine waits for the verdict of `Subscriber.message` before it passes a message on. */
  readonly validation: Support
  /** Whether `IncomingMessage.from` is present, and whether the engine has verified it. */
  readonly sender: 'verified' | 'claimed' | 'none'
}

export interface BlockCapabilities {
  /** Largest block that `put` takes and `get` returns, in bytes. At least 1 MiB + 64 KiB. */
  readonly maxBlockBytes: number
  /** What a resolved `put` survives: the end of the process (`process`), power loss (`power`), or nothing (`none`). */
  readonly persistence: 'none' | 'process' | 'power'
  /** Whether `get` asks other peers when the block is not stored here. */
  readonly remote: boolean
  /** Whether blocks that `get` has fetched from others stay in the store. Core bounds what strangers can leave there. */
  readonly keepsFetched: boolean
  /** `pin`, `unpin`, `pins`. */
  readonly pins: Support
  /** `gc`. */
  readonly gc: Support
  /** Codes (multicodec) of the multihashes that `put` and `get` take, each with its full digest. At least sha2-256 (0x12). */
  readonly hashes: readonly number[]
}

export interface RoutingCapabilities {
  readonly provide: Support
  readonly unprovide: Support
  readonly findProviders: Support
  readonly findPeer: Support
  /** `connect`, `disconnect`, `connections`. */
  readonly connect: Support
  /**
   * How long others may find a provider record that is not renewed, in milliseconds; `Infinity` means forever. Core renews
   * it earlier.
   */
  readonly recordLifetime: number
}

/**
 * What a backend promises, as data. Core or a layer acts on each field, and the conformance kit checks it: declared
 * features work, and features with `none` are refused.
 */
export interface Capabilities {
  readonly messages?: MessageCapabilities | undefined
  readonly blocks?: BlockCapabilities | undefined
  readonly routing?: RoutingCapabilities | undefined
}
