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
  readonly identity: Identity
  readonly cryptography: Cryptography
  readonly clock: Clock
  readonly capabilities: Capabilities
  /** The same object for the same name and mode. */
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
  /** Largest envelope handed to the engine, in bytes, at most the engine's own limit. Default 256 KiB. */
  readonly maxEnvelopeBytes: number
  /** Most messages in one envelope. Default 1,024. */
  readonly maxMessagesPerEnvelope: number
  /** Most bytes that wait to be published per topic; beyond it `publish` waits for room. Default 8 MiB. */
  readonly maxPublishQueueBytes: number
  /** Senders remembered per topic for de-duplication and gaps; the one unheard for longest goes first. Default 4,096. */
  readonly maxSenders: number
  /** Envelopes being verified at once per topic; more are dropped and reported as a gap. Default 1,024. */
  readonly maxPendingEnvelopes: number
  /** How long a hole in a sender's numbers may stay open before it is a gap, in milliseconds. Default 1,000. */
  readonly gapGrace: number
}

interface CommonPeerOptions {
  /** Default: a new random one. Give a stored one to keep the peer id across restarts: `identityFromSeed`. */
  identity?: Identity | undefined
  deadlines?: Partial<Deadlines> | undefined
  limits?: Partial<Limits> | undefined
  /** `verify` (default): every block is hashed and compared with its CID. `backend` skips that for backends you trust as yourself. */
  trust?: 'verify' | 'backend' | undefined
  onEvent?: ((event: BackendEvent) => void) | undefined
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
