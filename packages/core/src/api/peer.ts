import type { Clock } from '../clock.ts'
import type { Cryptography, Identity } from '../identity.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { BackendEvent } from '../port/events.ts'
import type { Blocks } from './blocks.ts'
import type { Data } from './data.ts'
import type { Deadlines } from './common.ts'
import type { Network } from './network.ts'
import type { Topic, TopicOptions } from './topic.ts'

/** The local participant: what an app holds. */
export interface Peer {
  /** The signing identity's peer id, `12D3KooW…`: what others see as `sender`. */
  readonly id: string
  /** Who signs this peer's messages. */
  readonly identity: Identity
  /** How signatures of others are checked. */
  readonly cryptography: Cryptography
  /** Whose time deadlines and timers follow. */
  readonly clock: Clock
  /** What the backend promises; with two backends, messages of one, blocks and routing of the other. */
  readonly capabilities: Capabilities
  /** The same object for the same name (1 to 1,024 bytes of UTF-8) and mode. `INVALID_ARGUMENT` for any other, `UNSUPPORTED` without messages. */
  topic(name: string, options?: TopicOptions): Topic
  readonly data: Data
  readonly blocks: Blocks
  readonly network: Network
  /** Stops everything and releases it. Idempotent. Afterwards every call rejects with `NOT_RUNNING`. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface Limits {
  /** Largest payload of a signed message, in bytes; larger than the engine's limit it travels as a CID. Default 16 MiB. */
  readonly maxPayloadBytes: number
  /**
   * Largest envelope handed to the engine, and taken from it, in bytes: from 1,024 to the engine's own limit. Default
   * 256 KiB. Peers of one topic should agree: what is larger is dropped as `oversized`.
   */
  readonly maxEnvelopeBytes: number
  /** Most messages in one envelope, sent or taken. Default 1,024. Peers of one topic should agree: more are `garbage`. */
  readonly maxMessagesPerEnvelope: number
  /** Most bytes that wait to be published per topic; beyond it `publish` waits for room. Default 8 MiB. */
  readonly maxPublishQueueBytes: number
  /**
   * Senders remembered per topic for de-duplication and gaps; the one unheard for longest goes first. Default 4,096.
   * What somebody replays of a sender that was forgotten, or never heard since joining, counts as new.
   */
  readonly maxSenders: number
  /** Envelopes being verified at once per topic; more are dropped and reported as a gap. Default 1,024. */
  readonly maxPendingEnvelopes: number
  /** How long a hole in a sender's numbers may stay open before it is a gap, in milliseconds. Default 1,000. */
  readonly gapGrace: number
}

interface CommonPeerOptions {
  /** Default: a new random one. Give a stored one to keep the peer id across restarts: `identityFromSeed`. */
  identity?: Identity | undefined
  /** Of calls that give none of their own. */
  deadlines?: Partial<Deadlines> | undefined
  /** What one topic may cost. */
  limits?: Partial<Limits> | undefined
  /** `verify` (default): every block is hashed and compared with its CID. `backend` skips that for backends you trust as yourself. */
  trust?: 'verify' | 'backend' | undefined
  /** Receives warnings and changes of state of the backends. What it throws is an uncaught exception. */
  onEvent?: ((event: BackendEvent) => void) | undefined
  /** Ends `createPeer` with `ABORTED`; of no effect once the peer is there. */
  signal?: AbortSignal | undefined
  /** For simulation only. */
  clock?: Clock | undefined
  /** For simulation only: a number in [0, 1). */
  random?: (() => number) | undefined
  /** For simulation only. */
  cryptography?: Cryptography | undefined
}

/** One backend for everything, or one for messages and another for data. The peer starts and stops them. */
export type PeerOptions = CommonPeerOptions & ({ backend: Backend } | { messages: Backend; data: Backend })
