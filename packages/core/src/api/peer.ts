import type { Clock } from '../clock.ts'
import type { Cryptography, Identity } from '../identity.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { BackendEvent } from '../port/events.ts'
import type { Blocks } from './blocks.ts'
import type { Timeouts } from './common.ts'
import type { Data } from './data.ts'
import type { Network } from './network.ts'
import type { ReceiptOptions } from './receipts.ts'
import type { RawMessage, Topic, TopicOptions } from './topic.ts'

/** What a simulator replaces: time, randomness and the checking of signatures. */
export interface Environment {
  readonly clock: Clock
  /** A number in [0, 1). */
  readonly random: () => number
  readonly cryptography: Cryptography
}

/** The local peer: what an app holds. */
export interface Peer {
  /**
   * The peer id of the identity that signs, `12D3KooW…`: others see it as `sender`. It is not an engine-level id, so nobody
   * can connect to it; see `network.self()`. It stays the same across restarts if the backend has a folder.
   */
  readonly id: string
  /** Signs this peer's messages. */
  readonly identity: Identity
  readonly environment: Environment
  /** What the backend promises. With two backends: messages of one, blocks and routing of the other. */
  readonly capabilities: Capabilities
  /**
   * A topic by its name, 1 to 1,024 bytes of UTF-8. Throws `INVALID_ARGUMENT` for any other name, `UNSUPPORTED` without
   * messages, `NOT_RUNNING`.
   */
  topic<T = Uint8Array>(name: string, options?: TopicOptions<T> & { readonly mode?: 'signed' | undefined }): Topic<T>
  topic<T = Uint8Array>(name: string, options: TopicOptions<T> & { readonly mode: 'raw' }): Topic<T, RawMessage<T>>
  readonly data: Data
  readonly blocks: Blocks
  readonly network: Network
  /**
   * Calls `listener` for warnings and changes of state, until the returned function is called. An error that it throws is
   * an uncaught exception.
   */
  onEvent(listener: (event: BackendEvent) => void): () => void
  /** Stops everything and releases all resources. Idempotent. Afterwards every call rejects with `NOT_RUNNING`. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface Limits {
  /** Largest payload of a signed message, in bytes. A payload above the engine's limit travels as a CID. Default 16 MiB. */
  readonly maxPayloadBytes: number
  /**
   * Largest envelope, in bytes, that this peer sends or accepts: from 2,048 to the engine's own limit. Default 256 KiB.
   * Peers of one topic should agree: a larger envelope is dropped as `oversized`.
   */
  readonly maxEnvelopeBytes: number
  /**
   * Maximum number of messages in one envelope, sent or accepted. Default 1,024. Peers of one topic should agree: an
   * envelope with more is `garbage`.
   */
  readonly maxMessagesPerEnvelope: number
  /** Maximum bytes per topic that wait to be published. Above it `publish` waits for room. Default 8 MiB. */
  readonly maxPublishQueueBytes: number
  /**
   * Senders remembered per topic for de-duplication and gaps. Default 4,096. Once a sender is forgotten, only messages that
   * it sends later count as new.
   */
  readonly maxSenders: number
  /**
   * Maximum bytes of envelopes per topic that wait to be checked, over all senders. Default 16 MiB. Above it envelopes are
   * dropped and reported as a gap.
   */
  readonly maxPendingBytes: number
  /**
   * Maximum bytes of unpinned blocks that strangers' large payloads leave in the store. The oldest are removed first.
   * Default 64 MiB.
   */
  readonly maxFetchedBytes: number
  /** How long a hole in a sender's sequence numbers may stay open before it becomes a gap, in milliseconds. Default 1,000. */
  readonly gapGrace: number
}

interface CommonPeerOptions {
  /**
   * Signs this peer's messages. Default: the identity that the backend keeps in its folder, created on first use. Without a
   * folder, a new random one. Never run two peers with one identity.
   */
  identity?: Identity | undefined
  /** Defaults for calls without a `timeout` option. */
  timeouts?: Partial<Timeouts> | undefined
  /** Bounds on size, number and memory. */
  limits?: Partial<Limits> | undefined
  /**
   * `verify` (default): every block is hashed and compared with its CID. `backend` skips the check, for a backend that you
   * trust as much as your own code.
   */
  trust?: 'verify' | 'backend' | undefined
  /**
   * What stored content must survive. Throws `UNSUPPORTED` if the backend's `persistence` is weaker. Default: the backend's
   * own `persistence`.
   */
  durability?: 'process' | 'power' | undefined
  /** Which peers acknowledge content to each other, and what this one keeps for others. Keeps nothing by default. */
  receipts?: ReceiptOptions | undefined
  /** A first listener, which also hears the start of the backend; see `peer.onEvent`. */
  onEvent?: ((event: BackendEvent) => void) | undefined
  /** Ends `createPeer` with `ABORTED`. Has no effect once the peer is there. */
  signal?: AbortSignal | undefined
  /** For simulation only. */
  environment?: Partial<Environment> | undefined
}

/** One backend for everything, or one for messages and another for data. The peer starts and stops them. */
export type PeerOptions = CommonPeerOptions & ({ backend: Backend } | { messages: Backend; data: Backend })
