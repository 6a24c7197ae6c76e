// Users whose own `lib` is older get `Symbol.asyncDispose` and `AsyncDisposable` by this line.
/// <reference lib="esnext.disposable" preserve="true" />
import type { PeerInfo } from '../port/common.ts'
import type { SubscriptionState } from '../port/messages.ts'
import type { CallOptions } from './common.ts'

/** Turns the values of an app into payloads and back. `text` and `json` are there; write your own for anything else. */
export interface Codec<T> {
  /** The name that error messages use: `json`. */
  readonly name: string
  /** Throws for a value that it cannot encode: `publish` then rejects with `INVALID_ARGUMENT`. */
  encode(value: T): Uint8Array
  /** Throws for bytes that it cannot decode: the subscription then yields a gap of reason `undecodable`. */
  decode(bytes: Uint8Array): T
}

/** Small text values that travel with a message. At most 16, names of 1 to 64 characters, values of at most 1,024. */
export type Headers = Readonly<Record<string, string>>

export interface TopicOptions<T = Uint8Array> {
  /**
   * `signed` (default): signed envelopes with sender and sequence; payloads of any size up to `maxPayloadBytes`.
   * `raw`: bare payloads, for foreign subscribers and publishers: no sender, no gaps by sequence, no de-duplication,
   * and payloads only up to what the engine takes.
   */
  readonly mode?: 'signed' | 'raw' | undefined
  /** Default: payloads are bytes. */
  readonly codec?: Codec<T> | undefined
}

export interface PublishOptions extends CallOptions {
  /**
   * How many peers must have been handed the message before `publish` resolves, where the engine can tell. Default 1: it waits
   * for a first one until its timeout, then rejects with `NO_PEERS`. 0 sends to the peers that are there.
   */
  recipients?: number | undefined
  /** Travel with the message to every receiver. `INVALID_ARGUMENT` on raw topics, and for more than fits an envelope. */
  headers?: Headers | undefined
}

export interface PublishReceipt {
  /** Sender-local id of the message, equal at every receiver; absent on raw topics. */
  readonly id?: string | undefined
  /** How many peers the engine handed it to directly; absent where the engine cannot tell. */
  readonly recipients?: number | undefined
}

/** A message of a raw topic. */
export interface RawMessage<T = Uint8Array> {
  readonly type: 'message'
  readonly topic: string
  /** Shared by all subscriptions of the topic: copy it before you change it. */
  readonly payload: T
  /** The engine-level id of the publisher, where the engine tells it. */
  readonly sender?: string | undefined
}

/** A message of a signed topic. */
export interface Message<T = Uint8Array> extends RawMessage<T> {
  /** `peer.id` of the sender. Its signature was checked. */
  readonly sender: string
  /** Counts the sender's messages on this topic from 0 in each of its sessions. */
  readonly sequence: number
  /** `sender/session/sequence`. */
  readonly id: string
  readonly headers: Headers
}

/** Messages were lost, or may have been. `@p2pl/sync` brings the missing ones. */
export interface Gap {
  readonly type: 'gap'
  readonly topic: string
  /**
   * `missing`: numbers of a sender did not arrive within the grace period. `disconnected`, `overflow`: the engine reported it.
   * `queue`: this subscription was read too slowly. `unavailable`: a large payload could not be fetched. `oversized`: a payload
   * is larger than this subscription takes. `undecodable`: the codec refused a payload.
   */
  readonly reason: 'missing' | 'disconnected' | 'overflow' | 'queue' | 'unavailable' | 'oversized' | 'undecodable'
  /** When it was noticed: milliseconds since the Unix epoch on this peer's wall clock, a hint. */
  readonly at: number
  /** For how many milliseconds before `at` messages may be missing; absent if unknown. */
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
  /** Closes the subscription; its iteration then ends without an error. */
  signal?: AbortSignal | undefined
  /** Milliseconds for joining the topic. Default: `timeouts.subscribe` of the peer. Has no effect on a topic that is joined already. */
  timeout?: number | undefined
  /** Most messages that wait for the reader. Default 4,096. */
  maxQueuedMessages?: number | undefined
  /** Most payload bytes that wait for the reader. Default 16 MiB. */
  maxQueuedBytes?: number | undefined
  /** Largest payload that this subscription takes, in bytes; a larger one is a gap of reason `oversized`, and is not fetched. Default: `limits.maxPayloadBytes`. */
  maxPayloadBytes?: number | undefined
  /** Which message goes when the queue is full. Either way a `gap` of reason `queue` stands where it was. Default `oldest`. */
  overflow?: 'oldest' | 'newest' | undefined
  /** Also deliver what this peer itself publishes. Default false. */
  echo?: boolean | undefined
}

/**
 * Messages and gaps in order of arrival, starting with the call of `subscribe`, for one reader. A pending `next` keeps the process
 * alive. Leaving the loop, `close`, and `await using` end the subscription.
 */
export interface Subscription<M = Message> extends AsyncIterableIterator<TopicItem<M>>, AsyncDisposable {
  /** Resolves when the topic is joined. Rejects if joining fails; the iteration then throws the same error. */
  readonly joined: Promise<void>
  /** `joining` until the topic is joined; `healing` while the engine has lost it; `ended` after `close`. */
  readonly state: 'joining' | SubscriptionState | 'ended'
  /** Calls back at each change of `state`, until the returned function is called. */
  onState(listener: (state: Subscription['state']) => void): () => void
  /** Ends the iteration after what is queued; idempotent. */
  close(): Promise<void>
}

export interface TopicStats {
  /** Messages given to the engine, and envelopes they travelled in. */
  readonly published: number
  readonly envelopes: number
  readonly delivered: number
  readonly gaps: number
  /** What was dropped, and why. */
  readonly dropped: Readonly<Record<DropReason, number>>
}

export type DropReason =
  /** Not an envelope of ours. */
  | 'garbage'
  | 'oversized'
  /** The signature does not match. */
  | 'forged'
  /** Seen before. */
  | 'duplicate'
  /** An old message of a session that has ended, or of a sender that was forgotten. */
  | 'replayed'
  /** More envelopes wait to be checked than the limits allow. */
  | 'overloaded'

/** A named channel. It costs nothing while it has neither subscriptions nor messages on their way. */
export interface Topic<T = Uint8Array, M = Message<T>> {
  readonly name: string
  readonly mode: 'signed' | 'raw'
  /**
   * Messages that queue up while one is on its way share an envelope; numbers follow the order of the calls. Payloads over
   * the engine's limit travel as a CID: they get their number once they are stored, and may arrive after later ones.
   * Do not change the payload before the call has resolved.
   *
   * Throws `NO_PEERS` when there was no recipient within the timeout, `OVERLOADED` without room in the queue, `TOO_LARGE` over
   * `maxPayloadBytes`, `INVALID_ARGUMENT`, `UNSUPPORTED`, `UNCERTAIN` when it is unknown whether the message was sent,
   * `ABORTED`, `NOT_RUNNING`, and the errors of the engine.
   */
  publish(payload: T, options?: PublishOptions): Promise<PublishReceipt>
  /**
   * Listens from this call on. Throws `INVALID_ARGUMENT`, `NOT_RUNNING` and `ABORTED` at once; a topic that cannot be joined
   * makes `joined` and the iteration throw `TIMEOUT` or the error of the engine.
   */
  subscribe(options?: SubscribeOptions): Subscription<M>
  /** Resolves when at least `peers` peers (default 1) would get a publish directly. Throws `UNSUPPORTED` where the engine cannot tell, `TIMEOUT`. */
  ready(options?: CallOptions & { peers?: number | undefined }): Promise<void>
  /** The peers that would get a publish directly (engine-level ids). Throws `UNSUPPORTED` where the engine cannot tell. */
  peers(options?: CallOptions): Promise<readonly PeerInfo[]>
  /** Counted since the topic came into use; a topic that nobody uses for a while begins anew. */
  stats(): TopicStats
  /** Ends all subscriptions of the topic, tells its receivers how many messages there were, and releases what it holds. */
  close(): Promise<void>
}
