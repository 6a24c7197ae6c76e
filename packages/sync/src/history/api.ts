import type { Codec, Gap, Headers, Peer, RawMessage, Subscription } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { Validity, View, ViewOptions } from '../api.ts'

export interface TopicWithHistoryOptions<T = Uint8Array> extends Pick<ViewOptions, 'store' | 'beaconPeriod'> {
  /** A peer with messages and data. It signs what is published. */
  readonly peer: Peer
  /** Name of the topic. Only peers with history understand it: peers on a core topic of the same name do not. */
  readonly topic: string
  /** Default: payloads are bytes. */
  readonly codec?: Codec<T> | undefined
  /**
   * Whether a message may be part of the topic: a pure function of the message alone, equal on all peers and for ever. Every peer
   * keeps the messages that it accepts, so name the senders here if strangers can reach the topic. Default: all.
   */
  readonly validate?: ((message: Draft) => Validity | Promise<Validity>) | undefined
  /** Largest payload that is published or fetched, in bytes; a larger one is a gap of reason `oversized`. Default 16 MiB. */
  readonly maxPayloadBytes?: number | undefined
}

/** A message before it is part of the topic. */
export interface Draft {
  readonly sender: string
  readonly headers: Headers
  /** Absent for a large payload, which has a `cid` instead. */
  readonly payload?: Uint8Array | undefined
  readonly cid?: CID | undefined
  /** Bytes of the payload; for a large one, as its sender claims. */
  readonly size: number
}

export interface HistoryPublishOptions {
  /** Travel with the message. At most 16, names of 1 to 64 characters, values of at most 1,024. */
  readonly headers?: Headers | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HistoryMessage<T = Uint8Array> extends RawMessage<T> {
  /** `peer.id` of the sender. Its signature was checked. */
  readonly sender: string
  /** Equal on all peers: the CID of the entry that holds the message. */
  readonly id: string
  readonly headers: Headers
  /** Larger than the clock of every message that the sender had seen when it published this one. */
  readonly clock: number
  /** The CID of a large payload: pin it to keep it longer than its sender does. */
  readonly cid?: CID | undefined
  /** True for a message from before `subscribe`, and for a missed one that sync brought; false for one that its sender has just announced. */
  readonly history: boolean
  /** Pass it as `since` to continue after this item. */
  readonly cursor: string
}

/**
 * A gap of the topic: the engine lost the topic for a while (`disconnected`), or could not keep up (`overflow`). The missed messages follow
 * with `history: true`. A gap of one message, which `id` names: its payload could not be fetched (`unavailable`), is too large (`oversized`),
 * or was refused by the codec (`undecodable`). Such a message does not come again by itself: ask for it with `get`.
 */
export interface HistoryGap extends Omit<Gap, 'first' | 'last'> {
  readonly id?: string | undefined
  readonly cursor: string
}

export type HistoryItem<T = Uint8Array> = HistoryMessage<T> | HistoryGap

export interface HistorySubscribeOptions {
  /**
   * Where to start: after the item with this cursor, or `now` for new messages only. Default: the beginning. A
   * cursor belongs to the store of its topic.
   */
  readonly since?: string | undefined
  /** Also deliver what this peer itself publishes. Default false. */
  readonly echo?: boolean | undefined
  /** For how many milliseconds a large payload is asked for before it is a gap; only later messages of its sender wait. Default 60,000. */
  readonly payloadTimeout?: number | undefined
  /** Closes the subscription; its iteration then ends without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Every message of the topic once: first the missed ones, then new ones. The messages of one sender come in the order in which they were
 * published, and each comes after all messages that its sender had seen by then. It has one reader, which may be as slow as it likes:
 * messages wait on the disk.
 */
export interface HistorySubscription<T = Uint8Array>
  extends
    AsyncIterableIterator<HistoryItem<T>, undefined>,
    Pick<Subscription, 'joined' | 'state' | 'onState' | 'close'>,
    AsyncDisposable {}

export interface TopicWithHistory<T = Uint8Array> extends AsyncDisposable {
  readonly name: string
  /** The messages as entries: whether peers agree (`agreed`, `status`), and `import`. */
  readonly view: View
  /**
   * Resolves when the message is on disk and synced. From then on every peer of the topic gets it, also one that comes later. Messages keep
   * the order of the calls. Throws `TOO_LARGE` over `maxPayloadBytes`, `STORAGE`, and `INVALID_ARGUMENT` for a payload that the codec or
   * `validate` refuses.
   */
  publish(payload: T, options?: HistoryPublishOptions): Promise<{ readonly id: string }>
  /** Throws `INVALID_ARGUMENT` for a cursor of another store, `NOT_RUNNING`, `ABORTED`. */
  subscribe(options?: HistorySubscribeOptions): HistorySubscription<T>
  /** A message by its id; a large payload is asked for once more. Throws `NOT_FOUND`, and as `peer.data.bytes`. */
  get(
    id: string,
    options?: { readonly signal?: AbortSignal | undefined; readonly timeout?: number | undefined }
  ): Promise<Omit<HistoryMessage<T>, 'history' | 'cursor'>>
  /** Ends all subscriptions and closes the store. */
  close(): Promise<void>
}
