import type { Codec, Gap, Headers, Peer, RawMessage, Subscription } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { Validity, View, ViewOptions } from '../api.ts'

export interface TopicWithHistoryOptions<T = Uint8Array> extends Pick<ViewOptions, 'store' | 'beaconPeriod'> {
  /** A peer with messages and data. It signs the published messages. */
  readonly peer: Peer
  /** Name of the topic. Peers on a core topic of the same name do not understand it; only peers with history do. */
  readonly topic: string
  /** Default: payloads are bytes. */
  readonly codec?: Codec<T> | undefined
  /**
   * Whether a message may be part of the topic. It must be a pure function of the message alone, and give the same
   * result on all peers for ever. Every peer keeps the messages that it accepts, so check the sender here if strangers
   * can reach the topic. Default: all messages.
   */
  readonly validate?: ((message: Draft) => Validity | Promise<Validity>) | undefined
  /**
   * The largest payload that is published or fetched, in bytes. A larger one becomes a gap of reason `oversized`.
   * Default 16 MiB.
   */
  readonly maxPayloadBytes?: number | undefined
}

/** A message before it becomes part of the topic. */
export interface Draft {
  readonly sender: string
  readonly headers: Headers
  /** Absent for a large payload, which has a `cid` instead. */
  readonly payload?: Uint8Array | undefined
  readonly cid?: CID | undefined
  /** Size of the payload in bytes; for a large one, as its sender claims. */
  readonly size: number
}

export interface HistoryPublishOptions {
  /** Headers that travel with the message: at most 16, with names of 1 to 64 characters and values of at most 1,024. */
  readonly headers?: Headers | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HistoryMessage<T = Uint8Array> extends RawMessage<T> {
  /** `peer.id` of the sender. The signature was checked. */
  readonly sender: string
  /** The CID of the entry that holds the message. It is the same on all peers. */
  readonly id: string
  readonly headers: Headers
  /** Larger than the clocks of all messages that the sender had seen when it published this one. */
  readonly clock: number
  /** The CID of a large payload. Pin it to keep it longer than its sender does. */
  readonly cid?: CID | undefined
  /**
   * True for a message published before `subscribe`, and for a missed message that sync brought; false for a message
   * that its sender just announced.
   */
  readonly history: boolean
  /** Pass it as `since` to continue after this item. */
  readonly cursor: string
}

/**
 * A gap in the topic. Without an `id`, the engine lost the topic for a while (`disconnected`) or could not keep up
 * (`overflow`); the missed messages follow with `history: true`. With an `id`, the gap is that one message: its payload
 * could not be fetched (`unavailable`), is too large (`oversized`), or was refused by the codec (`undecodable`). Such a
 * message is not delivered again: ask for it with `get`.
 */
export interface HistoryGap extends Omit<Gap, 'first' | 'last'> {
  readonly id?: string | undefined
  readonly cursor: string
}

export type HistoryItem<T = Uint8Array> = HistoryMessage<T> | HistoryGap

export interface HistorySubscribeOptions {
  /**
   * Where to start: after the item with this cursor, or `now` for new messages only. Default: the beginning. A cursor
   * is valid only for the store that it came from.
   */
  readonly since?: string | undefined
  /** Whether to deliver this peer's own messages too. Default false. */
  readonly echo?: boolean | undefined
  /**
   * How long to ask for a large payload before it becomes a gap, in ms. Meanwhile only later messages of the same
   * sender wait. Default 60,000.
   */
  readonly payloadTimeout?: number | undefined
  /** Closes the subscription; the iteration then ends without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Delivers every message of the topic once: first the missed ones, then new ones. The messages of one sender come in
 * the order in which they were published, and each message comes after all messages that its sender had seen by then. A
 * subscription has one reader, which may be slow: messages wait on disk.
 */
export interface HistorySubscription<T = Uint8Array>
  extends
    AsyncIterableIterator<HistoryItem<T>, undefined>,
    Pick<Subscription, 'joined' | 'state' | 'onState' | 'close'>,
    AsyncDisposable {}

export interface TopicWithHistory<T = Uint8Array> extends AsyncDisposable {
  readonly name: string
  /** The view that holds the messages as entries, for `agreed`, `status` and `import`. */
  readonly view: View
  /**
   * Resolves when the message is on disk and synced. From then on every peer of the topic gets it, even a peer that
   * joins later. Messages keep the order of the calls. Throws `TOO_LARGE` over `maxPayloadBytes`, `STORAGE`, and
   * `INVALID_ARGUMENT` for a payload that the codec or `validate` refuses.
   */
  publish(payload: T, options?: HistoryPublishOptions): Promise<{ readonly id: string }>
  /** Throws `INVALID_ARGUMENT` for a cursor of another store, `NOT_RUNNING`, `ABORTED`. */
  subscribe(options?: HistorySubscribeOptions): HistorySubscription<T>
  /**
   * Gets a message by its id; a large payload is fetched again. Throws `NOT_FOUND`, and the errors of
   * `peer.data.bytes`.
   */
  get(
    id: string,
    options?: { readonly signal?: AbortSignal | undefined; readonly timeout?: number | undefined }
  ): Promise<Omit<HistoryMessage<T>, 'history' | 'cursor'>>
  /** Ends all subscriptions and closes the store. */
  close(): Promise<void>
}
