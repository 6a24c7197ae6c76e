import { sealEnvelope } from '@p2pl/core/backend'
import type { Envelope, Payload } from '@p2pl/core/backend'
import type { SimulatedIdentity } from '../host/identity.ts'
import { randomBytes } from '../random.ts'
import type { Ending } from '../simulator.ts'
import { flood } from './flood.ts'
import type { Stranger } from './stranger.ts'

const utf8 = new TextEncoder()

export interface EnvelopeOptions {
  /** Default: a new one. */
  readonly identity?: SimulatedIdentity | undefined
  /** Default 1. */
  readonly session?: number | undefined
  /** Sequence number of the first message. Default 0. */
  readonly first?: number | undefined
  readonly messages: readonly Payload[]
  /** Default: the stranger itself. */
  readonly provider?: Envelope['provider']
}

/** The bytes of a signed envelope that core takes for a genuine one. */
export async function sealed(stranger: Stranger, topic: string, options: EnvelopeOptions): Promise<Uint8Array> {
  const { identity = stranger.identity(), session = 1, first = 0, messages, provider = stranger.address } = options
  const { publicKey } = identity
  return await sealEnvelope(utf8.encode(topic), { publicKey, session, first, messages, provider }, identity)
}

export interface EnvelopeFloodOptions {
  readonly perSecond: number
  /** Messages in each envelope. Default 1. */
  readonly messages?: number | undefined
  /** Bytes of each message. Default 100. */
  readonly bytes?: number | undefined
  /** A new one signs each envelope (default), or one signs all. */
  readonly identities?: 'new' | 'one' | undefined
}

/** Genuine envelopes with random payloads. */
export function floodEnvelopes(stranger: Stranger, topic: string, options: EnvelopeFloodOptions): Ending {
  const { perSecond, messages: count = 1, bytes = 100, identities = 'new' } = options
  const one = identities === 'one' ? stranger.identity() : undefined
  let first = 0
  return flood(stranger, topic, {
    perSecond,
    payload: async (random) => {
      const messages = Array.from({ length: count }, () => randomBytes(random, bytes))
      const envelope = { identity: one, first: one === undefined ? 0 : first, messages }
      first += count
      return await sealed(stranger, topic, envelope)
    }
  })
}
