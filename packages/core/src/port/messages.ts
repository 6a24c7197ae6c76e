import type { Call, HookOptions, PeerInfo } from './common.ts'

export interface PublishResult {
  /**
   * How many peers the engine handed the message to directly: 0 means that no peer got it.
   * Absent exactly when `capabilities.messages.recipients` is `none`.
   */
  readonly recipients?: number | undefined
}

export interface IncomingMessage {
  readonly payload: Uint8Array
  /** Engine-level id of the peer that published the message. `capabilities.messages.sender` says whether it is verified. */
  readonly from?: string | undefined
  /**
   * Engine-level id of the connected peer that passed the message on, if the engine knows that for certain. If the
   * publisher is not verified, each of these peers has its own share of the messages that wait to be checked.
   */
  readonly via?: string | undefined
}

/** Messages may be missing: the engine's connection was lost and is back, or a queue of the engine or the adapter was full. */
export interface TransportGap {
  readonly reason: 'disconnected' | 'overflow'
  /** Length in milliseconds of the period up to now in which messages may be missing, if known. */
  readonly lasted?: number | undefined
}

export type Verdict =
  /** It was delivered. Pass it on. */
  | 'accept'
  /** It is of no use here. Do not pass it on, and do not penalise its author. */
  | 'ignore'
  /** Its author broke the rules. Do not pass it on, and lower the author's score. */
  | 'reject'

/** `healing`: messages may be missed now, and the backend is trying to get the topic back. */
export type SubscriptionState = 'live' | 'healing'

/** The functions that a subscription calls. They return at once; a `message` that throws counts as `ignore`. */
export interface Subscriber {
  /**
   * Delivers a message and judges it. Engines that check before they pass on wait for the verdict (`validation` is declared);
   * all others ignore it. A rejected promise counts as `ignore`.
   */
  message(message: IncomingMessage): Verdict | Promise<Verdict>
  /** Messages may have been lost. Called as soon as that is known, and before later messages. */
  gap(gap: TransportGap): void
  state?(state: SubscriptionState): void
}

/** A topic that the engine has joined. */
export interface Joined {
  /** Leaves the topic. Called once. */
  close(): Promise<void>
}

/**
 * Moves opaque bytes to every subscriber of a topic, as well as the engine can.
 *
 * - *Topics* are 1 to 1,024 bytes of UTF-8; adapters encode them as the engine needs.
 * - *Payloads* are 0 to `maxMessageBytes` bytes. The engine neither signs nor splits nor retries them, and keeps no
 *   reference to the array after the call. Two publishes of equal bytes are two messages, unless the network itself cannot
 *   tell them apart.
 * - *Order and delivery*: as declared. Nothing is delivered twice on purpose.
 * - *Publishing without joining* is allowed. The publisher does not wait for subscribers: core does that.
 * - *A joined topic heals itself*: while the backend runs, it outlives every reconnect of the engine. Every period in which
 *   messages may have been lost is reported by `gap`. It never ends by itself.
 * - *Retries*: none.
 */
export interface MessageHooks {
  /**
   * Resolves when the engine has taken the message, without waiting for receivers. Rejects with a retryable error when the
   * message was not taken, and with `UNCERTAIN` when that is unknown because the connection broke after the message was sent.
   */
  publish(topic: string, payload: Uint8Array, options: HookOptions): Promise<PublishResult>
  /**
   * Joins a topic. Resolves when messages that reach this peer from now on are delivered. It is called again for a topic only
   * after `close` of the earlier join has settled: `defineBackend` serves all subscriptions of a topic by one join.
   */
  join(topic: string, subscriber: Required<Subscriber>, options: HookOptions): Promise<Joined>
  /**
   * The remote peers that a publish would go to directly; `[]` when there is none. If the list has an entry, `publish`
   * reports at least one recipient. Present exactly when `capabilities.messages.peers` is not `none`.
   */
  peers?(topic: string, options: HookOptions): Promise<readonly PeerInfo[]>
}

/** The messages of a backend, as core and layers call them. */
export interface MessageTransport {
  readonly publish: Call<MessageHooks['publish']>
  /** Any number of subscriptions of one topic: each gets every message once. After `close` was called nothing is delivered. */
  readonly subscribe: Call<(topic: string, subscriber: Subscriber, options: HookOptions) => Promise<Joined>>
  readonly peers: Call<NonNullable<MessageHooks['peers']>>
}
