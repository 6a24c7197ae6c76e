import type { PeerInfo } from '../port/common.ts'
import type { CallOptions } from './common.ts'

export interface TopicOptions {
  /**
   * `signed` (default): signed envelopes with sender and sequence; payloads of any size up to `maxPayloadBytes`.
   * `raw`: bare payloads, for foreign subscribers and publishers: no sender, no gaps by sequence, no de-duplication,
   * and payloads only up to what the engine takes.
   */
  readonly mode?: 'signed' | 'raw' | undefined
}

export interface PublishOptions extends CallOptions {
  /**
   * How many participants must have been handed the message before `publish` resolves, where the engine can tell.
   * Default 1: it waits for a first one until its deadline, then rejects with `NO_PEERS`. 0 sends to whoever is there.
   */
  recipients?: number | undefined
}

export interface PublishReceipt {
  /** Sender-local id of the message, equal at every receiver; absent on raw topics. */
  readonly id?: string | undefined
  /** To how many participants the engine handed it directly; absent where the engine cannot tell. */
  readonly recipients?: number | undefined
}

export interface Message {
  readonly type: 'message'
  readonly topic: string
  readonly payload: Uint8Array
  /** Peer id of the sender, its signature checked. On raw topics the engine's word, or absent. */
  readonly sender?: string | undefined
  /** Counts the sender's messages on this topic from 0 in each of its sessions; absent on raw topics. */
  readonly sequence?: number | undefined
  /** `sender/session/sequence`; absent on raw topics. */
  readonly id?: string | undefined
}

/** Messages were lost, or may have been. It is reported, never hidden; `@p2pl/sync` is what closes it. */
export interface Gap {
  readonly type: 'gap'
  readonly topic: string
  /**
   * `missing`: numbers of a sender did not arrive within the grace period. `disconnected`, `overflow`: the engine's word.
   * `queue`: this subscription was read too slowly. `unavailable`: a large payload could not be fetched.
   */
  readonly reason: 'missing' | 'disconnected' | 'overflow' | 'queue' | 'unavailable'
  readonly sender?: string | undefined
  /** First and last missing sequence number of the sender's session. */
  readonly first?: number | undefined
  readonly last?: number | undefined
  /** How many messages are known to be missing; absent where nobody knows. */
  readonly count?: number | undefined
}

export type TopicItem = Message | Gap

export interface SubscribeOptions {
  /** Closes the subscription; its iteration then ends without an error. */
  signal?: AbortSignal | undefined
  /** Milliseconds for joining the topic. Default: `deadlines.subscribe` of the peer. Where it is joined already, there is nothing to wait for. */
  deadline?: number | undefined
  /** Most messages that wait for the reader. Default 4,096. */
  maxQueuedMessages?: number | undefined
  /** Most payload bytes that wait for the reader. Default 16 MiB. */
  maxQueuedBytes?: number | undefined
  /** Which message goes when the queue is full. Either way a `gap` of reason `queue` stands where it was. Default `oldest`. */
  overflow?: 'oldest' | 'newest' | undefined
  /** Also deliver what this peer itself publishes. Default false. */
  echo?: boolean | undefined
}

/** Listens from the call of `subscribe` on, not from the first `next`. One reader. */
export interface Subscription extends AsyncIterableIterator<TopicItem> {
  /** Resolves when the topic is joined, rejects when that failed (the iteration then throws the same error). */
  readonly joined: Promise<void>
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
  /** Of a session of its sender that has ended. */
  | 'replayed'
  /** More senders or checks at once than the limits allow. */
  | 'overloaded'

export interface Topic {
  readonly name: string
  readonly mode: 'signed' | 'raw'
  /**
   * Messages that queue up while one is on its way share an envelope; numbers follow the order of the calls. Payloads over
   * the engine's limit travel as a CID: they get their number once they are stored, and may arrive after later ones.
   * Do not change the payload before it has resolved. `NO_PEERS` without a recipient until the deadline, `OVERLOADED`
   * without room, `TOO_LARGE` over `maxPayloadBytes`.
   */
  publish(payload: Uint8Array, options?: PublishOptions): Promise<PublishReceipt>
  subscribe(options?: SubscribeOptions): Subscription
  /** Resolves when at least `peers` participants (default 1) would get a publish directly. `UNSUPPORTED` where the engine cannot tell. */
  ready(options?: CallOptions & { peers?: number | undefined }): Promise<void>
  /** The participants that would get a publish directly (engine-level). */
  peers(options?: CallOptions): Promise<readonly PeerInfo[]>
  /** Counted since the topic was first asked for. */
  stats(): TopicStats
}
