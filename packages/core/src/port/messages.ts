import type { AbortOptions, PeerInfo } from './common.ts'

export interface PublishResult {
  /**
   * To how many participants the engine handed the message directly: 0 means that nobody got it.
   * Absent exactly when `capabilities.messages.recipients` is `none`.
   */
  readonly recipients?: number | undefined
}

export interface IncomingMessage {
  readonly payload: Uint8Array
  /** Engine-level id of the participant that published it. See `capabilities.messages.sender` for what it is worth. */
  readonly from?: string | undefined
}

/** Why messages may be missing: the engine's connection was lost and is back, or a queue of engine or adapter was full. */
export interface TransportGap {
  readonly reason: 'disconnected' | 'overflow'
}

export type Verdict =
  /** Deliver it and pass it on. */
  | 'accept'
  /** Neither deliver nor pass it on; its forwarder is not to blame. */
  | 'ignore'
  /** Neither deliver nor pass it on, and think less of the participant that forwarded it. */
  | 'reject'

/**
 * What a subscription calls. The functions return at once and never throw.
 */
export interface Subscriber {
  message(message: IncomingMessage): void
  /** Called when messages may have been lost, as soon as that is known and before later messages. */
  gap(gap: TransportGap): void
  /**
   * Called before a message is passed on to others, and before `message`. Give it only where
   * `capabilities.messages.validation` is not `none`; otherwise `subscribe` throws `UNSUPPORTED`.
   * A rejected promise counts as `ignore`.
   */
  validate?(message: IncomingMessage): Verdict | Promise<Verdict>
}

export interface TransportSubscription {
  /** No call of the subscriber starts after this was called. Idempotent. */
  close(): Promise<void>
}

/**
 * Moves opaque bytes to every subscriber of a topic, as well as the engine can.
 *
 * - *Topics* are any non-empty string of at most 1,024 bytes of UTF-8; adapters encode them as the engine needs.
 * - *Payloads* are 0 to `maxMessageBytes` bytes. They are opaque: not signed, retried or split here.
 * - *Order and delivery*: as declared. Nothing is delivered twice on purpose.
 * - *Publishing without subscribing* is allowed. The publisher need not wait for subscribers: that is core's.
 * - *Subscribing* heals itself: while the backend runs, a subscription outlives every reconnect of the engine, and
 *   every time in which messages may have been lost is reported by `gap`. It never ends by itself.
 * - *Several subscriptions* of one topic are independent: each gets every message once.
 * - *Retries*: none. A publish that did not happen rejects with a retryable error.
 */
export interface MessageTransport {
  /** Resolves when the engine has taken the message. Does not wait for any receiver. */
  publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult>
  /** Resolves when the engine has joined the topic: messages that reach this participant from now on are delivered. */
  subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription>
  /**
   * The remote participants of the topic to which a publish would go at once. `[]` when there is none.
   * Truthful: with an entry here, `publish` reports at least one recipient.
   */
  peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]>
}
