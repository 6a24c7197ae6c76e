// This line gives `Symbol.asyncDispose` and `AsyncDisposable` to users whose own `lib` is older.
/// <reference lib="esnext.disposable" preserve="true" />
import type { PeerInfo } from '../port/common.ts'
import type { SubscriptionState } from '../port/messages.ts'
import type { CallOptions } from './common.ts'

/** Turns an app's values into payloads and back. `text` and `json` are included; write your own codec for anything else. */
export interface Codec<T> {
  /** The name for error messages, such as `json`. */
  readonly name: string
  /** Throws for a value that it cannot encode; `publish` then rejects with `INVALID_ARGUMENT`. */
  encode(value: T): Uint8Array
  /** Throws for bytes that it cannot decode; the subscription then yields a gap of reason `undecodable`. */
  decode(bytes: Uint8Array): T
}

/** Small text values that travel with a message. At most 16; names have 1 to 64 characters, values at most 1,024. */
export type Headers = Readonly<Record<string, string>>

export interface TopicOptions<T = Uint8Array> {
  /**
   * `signed` (default): signed envelopes with sender and sequence number; payloads of any size up to `maxPayloadBytes`.
   * `raw`: bare payloads, for subscribers and publishers that do not know p2pl. Raw topics have no signed sender, no gaps
   * by sequence and no de-duplication, and their payloads are limited by the engine.
   */
  readonly mode?: 'signed' | 'raw' | undefined
  /** Default: payloads are bytes. */
  readonly codec?: Codec<T> | undefined
}

export interface PublishOptions extends CallOptions {
  /**
   * How many peers must have been handed the message before `publish` resolves, if the engine can tell. With 1 (default),
   * `publish` waits for a first peer until its timeout, then rejects with `NO_PEERS`. With 0, it sends to the peers that
   * are there.
   */
  recipients?: number | undefined
  /** Sent with the message to every receiver. Throws `INVALID_ARGUMENT` on raw topics, and if they do not fit into an envelope. */
  headers?: Headers | undefined
}

export interface PublishReceipt {
  /** Id of the message, the same at every receiver; absent on raw topics. */
  readonly id?: string | undefined
  /** How many peers the engine handed it to directly; absent if the engine cannot tell. */
  readonly recipients?: number | undefined
}

/** A message of a raw topic. */
export interface RawMessage<T = Uint8Array> {
  readonly type: 'message'
  readonly topic: string
  /** Shared by all subscriptions of the topic: copy it before you change it. */
  readonly payload: T
  /** The engine-level id of the publisher, if the engine tells it. */
  readonly sender?: string | undefined
}

/** A message of a signed topic. */
export interface Message<T = Uint8Array> extends RawMessage<T> {
  /** `peer.id` of the sender, whose signature was checked. */
  readonly sender: string
  /** Counts the sender's messages on this topic from 0 in each of its sessions. */
  readonly sequence: number
  /** `sender/session/sequence`. */
  readonly id: string
  readonly headers: Headers
}

/** Messages were lost, or may have been. `@p2pl/sync` recovers the missing ones. */
export interface Gap {
  readonly type: 'gap'
  readonly topic: string
  /**
   * `missing`: some of a sender's messages did not arrive within the grace period. `disconnected`, `overflow`: the engine
   * reported a loss. `queue`: this subscription was read too slowly. `unavailable`: a large payload could not be fetched.
   * `oversized`: a payload is larger than this subscription accepts. `undecodable`: the codec refused a payload.
   */
  readonly reason: 'missing' | 'disconnected' | 'overflow' | 'queue' | 'unavailable' | 'oversized' | 'undecodable'
  /** When the loss was noticed: milliseconds since the Unix epoch on this peer's wall clock, a hint. */
  readonly at: number
  /** Length in milliseconds of the period before `at` in which messages may be missing; absent if unknown. */
  readonly lasted?: number | undefined
  readonly sender?: string | undefined
  /** First and last missing sequence number of the sender's session. */
  readonly first?: number | undefined
  readonly last?: number | undefined
  /** How many messages are known to be missing; absent if unknown. */
  readonly count?: number | undefined
}

export type TopicItem<M = Message> = M | Gap

export interface SubscribeOptions {
  /** Closes the subscription. Its iteration then ends without an error. */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds for joining the topic. Default: `timeouts.subscribe` of the peer. Has no effect on a topic that is already
   * joined.
   */
  timeout?: number | undefined
  /** Maximum number of messages that wait for the reader. Default 4,096. */
  maxQueuedMessages?: number | undefined
  /** Maximum payload bytes that wait for the reader. Default 16 MiB. */
  maxQueuedBytes?: number | undefined
  /**
   * Largest payload that this subscription accepts, in bytes. A larger payload is not fetched; it becomes a gap of reason
   * `oversized`. Default: `limits.maxPayloadBytes`.
   */
  maxPayloadBytes?: number | undefined
  /** Which message is dropped when the queue is full. Either way a `gap` of reason `queue` takes its place. Default `oldest`. */
  overflow?: 'oldest' | 'newest' | undefined
  /** Also deliver this peer's own messages. Default false. */
  echo?: boolean | undefined
}

/**
 * Messages and gaps in order of arrival, from the call of `subscribe` on, for one reader. A pending `next` keeps the
 * process alive. Leaving the loop, `close`, and `await using` end the subscription.
 */
export interface Subscription<M = Message> extends AsyncIterableIterator<TopicItem<M>>, AsyncDisposable {
  /** Resolves when the topic is joined. Rejects if joining fails; the iteration then throws the same error. */
  readonly joined: Promise<void>
  /** `joining` until the topic is joined; `healing` while the engine has lost the topic; `ended` after `close`. */
  readonly state: 'joining' | SubscriptionState | 'ended'
  /** Calls `listener` at each change of `state`, until the returned function is called. */
  onState(listener: (state: Subscription['state']) => void): () => void
  /** Ends the iteration after the items that are already queued. Idempotent. */
  close(): Promise<void>
}

export interface TopicStats {
  /** Messages given to the engine, and the envelopes that carried them. */
  readonly published: number
  readonly envelopes: number
  readonly delivered: number
  readonly gaps: number
  /** How many messages were dropped, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>
}

export type DropReason =
  /** Not an envelope of p2pl. */
  | 'garbage'
  | 'oversized'
  /** The signature does not match. */
  | 'forged'
  /** Seen before. */
  | 'duplicate'
  /** An old message of a session that has ended, or of a sender that was forgotten. */
  | 'replayed'
  /** More envelopes were waiting to be checked than the limits allow. */
  | 'overloaded'

/** A named channel. It costs nothing while it has no subscriptions and no messages to send. */
export interface Topic<T = Uint8Array, M = Message<T>> {
  readonly name: string
  readonly mode: 'signed' | 'raw'
  /**
   * Messages that queue up while another one is being sent share an envelope. Sequence numbers follow the order of the
   * calls. A payload above the engine's limit travels as a CID: it gets its number once it is stored, and may arrive after
   * later messages. Do not change the payload before the call has resolved.
   *
   * Throws `NO_PEERS` when there was no recipient within the timeout, `OVERLOADED` when the queue had no room, `TOO_LARGE`
   * above `maxPayloadBytes`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `UNCERTAIN` when it is unknown whether the message was
   * sent, `ABORTED`, `NOT_RUNNING`, and the errors of the engine.
   */
  publish(payload: T, options?: PublishOptions): Promise<PublishReceipt>
  /**
   * Listens from this call on. Throws `INVALID_ARGUMENT`, `NOT_RUNNING` and `ABORTED` at once. If the topic cannot be
   * joined, `joined` and the iteration throw `TIMEOUT` or the engine's error.
   */
  subscribe(options?: SubscribeOptions): Subscription<M>
  /**
   * Resolves when a publish would go directly to at least `peers` peers (default 1). Throws `UNSUPPORTED` if the engine
   * cannot tell, `TIMEOUT`.
   */
  ready(options?: CallOptions & { peers?: number | undefined }): Promise<void>
  /** The peers that a publish would go to directly (engine-level ids). Throws `UNSUPPORTED` if the engine cannot tell. */
  peers(options?: CallOptions): Promise<readonly PeerInfo[]>
  /** Counts since the topic came into use. They start again from zero once nobody has used the topic for a while. */
  stats(): TopicStats
  /** Ends all subscriptions of the topic, tells its receivers how many messages there were, and releases its resources. */
  close(): Promise<void>
}
