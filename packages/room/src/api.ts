import type { CallOptions, Codec } from '@p2pl/core'
import type { RoomEvent } from './events.ts'

/** Any JSON value: the payload of a room without its own codec. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export interface RoomOptions<T = Json> {
  /** This peer's name in the room, at most 64 characters. Names are not unique; ids are. */
  name?: string | undefined
  /**
   * Encrypts everything in the room, and hides which room it is. 32 bytes, the text of `createSecret`, or a passphrase of
   * at least 8 characters, which is stretched with scrypt. Only peers with the same secret meet. Default: an open room.
   */
  secret?: string | Uint8Array | undefined
  /** Codec of the room's own channel. Default: `json` of `@p2pl/core`. */
  codec?: Codec<T> | undefined
  /**
   * How many of the last broadcasts this peer keeps for latecomers, and asks for when it is a latecomer itself: 0 (default)
   * to 10,000.
   */
  history?: number | undefined
  /** The certificate that an account gave to this device: see `certifyDevice`. Other peers see the account as `peer.account`. */
  account?: string | undefined
  /** Maximum number of peers that are shown and heard at a time: 1 to 4,096. Default 256. */
  maxPeers?: number | undefined
  /** Largest payload that is sent or accepted, in bytes. Default 16 MiB. */
  maxPayloadBytes?: number | undefined
  /** Milliseconds between two signs of life: 500 to 60,000. Default 5,000. A peer that misses three of them counts as gone. */
  beat?: number | undefined
  /** Ends `joinRoom` with `ABORTED`. Once the room is joined, leaves it. */
  signal?: AbortSignal | undefined
}

/** A peer that is in the room now. */
export interface RoomPeer {
  /** Its `peer.id`: the `sender` of its messages. */
  readonly id: string
  readonly name?: string | undefined
  /** The id of the account that certified this device. The certificate has been checked. */
  readonly account?: string | undefined
}

export interface RoomMessage<T> {
  readonly payload: T
  /** `peer.id` of the author, whose signature was checked. */
  readonly sender: string
  readonly channel: string
  /** The same at every peer. Each message is delivered once. */
  readonly id: string
  /** Whether it was sent to this peer alone. */
  readonly direct: boolean
  /** Whether it was sent earlier, and another peer passed it on. */
  readonly history: boolean
}

export interface SendOptions extends CallOptions {
  /** Send to this peer alone, encrypted to it. Throws `NOT_FOUND` when it is not in the room. Default: to everybody. */
  to?: string | undefined
}

export interface Request {
  readonly sender: string
  /** Fires when either peer has left the room. */
  readonly signal: AbortSignal
}

/** A named stream of messages in a room, with its own codec. */
export interface Channel<T> {
  readonly name: string
  /**
   * Sends to everybody in the room, or with `to` to one peer. A broadcast in an empty room is not an error. Throws
   * `INVALID_ARGUMENT`, `NOT_FOUND`, `TOO_LARGE`, `NO_PEERS`, `ABORTED`, `TIMEOUT`, `NOT_RUNNING` after `leave`.
   */
  send(payload: T, options?: SendOptions): Promise<void>
  /**
   * Calls `listener` for each message, until the returned function is called. Messages that came before the first listener
   * wait for it: the last 256 of a room.
   */
  onMessage(listener: (message: RoomMessage<T>) => void): () => void
  /**
   * Asks one peer and waits for its answer. Lost requests are sent again; the other peer's handler runs only once. Throws
   * `NOT_FOUND` when it is not in the room, `UNREACHABLE` when it leaves, `UNSUPPORTED` when it has no handler, `PROTOCOL`
   * when its handler failed, `OVERLOADED`, and `TIMEOUT` after `timeout` milliseconds, default 10,000.
   */
  request(to: string, payload: T, options?: CallOptions): Promise<T>
  /**
   * Answers requests, until the returned function is called. A channel has one handler. If the handler throws a
   * `P2plError`, the asking peer gets that error. After any other error it learns only that the handler failed.
   */
  onRequest(handler: (payload: T, request: Request) => T | Promise<T>): () => void
}

export interface ChannelOptions<T> {
  /** Default: `json` of `@p2pl/core`. */
  codec?: Codec<T> | undefined
}

/** A room as this peer sees it. The room itself is its first channel, with the name `''`. */
export interface Room<T = Json> extends Channel<T>, AsyncDisposable {
  /** The `peer.id` of this peer. */
  readonly id: string
  /** The topic that carries the room. */
  readonly topic: string
  /** The peers that are here now, except this one, by id. */
  readonly peers: ReadonlyMap<string, RoomPeer>
  /** Another channel, 1 to 64 characters. Each name has one codec. */
  channel<U = Json>(name: string, options?: ChannelOptions<U>): Channel<U>
  /** Calls `listener` for joins, leaves, progress, gaps and warnings, until the returned function is called. */
  onEvent(listener: (event: RoomEvent) => void): () => void
  /** Changes the name of this peer. */
  rename(name: string): Promise<void>
  /**
   * Continues under another secret, on another topic. Peers that do not follow stay behind. The new secret is first sent to
   * the peers in `tell`, encrypted to each; they get a `secret` event. Rejects with the same errors as `joinRoom`; the room
   * then stays under the old secret.
   */
  rotate(secret: string | Uint8Array, options?: CallOptions & { tell?: readonly string[] | undefined }): Promise<void>
  /** Says goodbye and leaves the room. Idempotent. */
  leave(): Promise<void>
}
