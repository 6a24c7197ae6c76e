import { sealEnvelope } from '@p2pl/core/backend'
import type { Envelope, EnvelopeMessage, Payload } from '@p2pl/core/backend'
import type { SimulatedIdentity } from '../host/identity.ts'
import { randomBytes, randomInteger } from '../random.ts'
import type { Ending } from '../simulator.ts'
import { flood } from './flood.ts'
import type { Stranger } from './stranger.ts'

const utf8 = new TextEncoder()

export interface EnvelopeOptions {
  /** Default: a new one. */
  readonly identity?: SimulatedIdentity | undefined
  /** Default: a random one. */
  readonly session?: number | undefined
  /** Milliseconds since the session began. Default 0. */
  readonly age?: number | undefined
  /** The wall time that the sender claims. Default: the true one. */
  readonly sent?: number | undefined
  /** Sequence number of the first message. Default 0. */
  readonly first?: number | undefined
  readonly messages: readonly Payload[]
  /** The headers of each message. Default none. */
  readonly headers?: EnvelopeMessage['headers'] | undefined
  /** Default: the stranger itself. */
  readonly providers?: Envelope['providers'] | undefined
}

/** The bytes of a signed envelope that core accepts as genuine. */
export async function sealed(stranger: Stranger, topic: string, options: EnvelopeOptions): Promise<Uint8Array> {
  const { identity = stranger.identity(), headers = {} } = options
  const { session = randomInteger(stranger.random, 2 ** 48), age = 0, sent = stranger.wall, first = 0 } = options
  const { providers = [stranger.address] } = options
  const messages = options.messages.map((content) => ({ content, headers }))
  const envelope = { publicKey: identity.publicKey, session, age, sent, first, messages, providers }
  return await sealEnvelope(utf8.encode(topic), envelope, identity)
}

export interface EnvelopeFloodOptions {
  readonly perSecond: number
  /** Messages per envelope. Default 1. */
  readonly messages?: number | undefined
  /** Bytes of each message. Default 100. */
  readonly bytes?: number | undefined
  /** `new` (default): each envelope has its own signer. `one`: one identity signs all of them. */
  readonly identities?: 'new' | 'one' | undefined
}

/** Publishes genuine envelopes with random payloads. */
export function floodEnvelopes(stranger: Stranger, topic: string, options: EnvelopeFloodOptions): Ending {
  const { perSecond, messages: count = 1, bytes = 100, identities = 'new' } = options
  const one = identities === 'one' ? stranger.identity() : undefined
  const session = randomInteger(stranger.random, 2 ** 48)
  let first = 0
  return flood(stranger, topic, {
    perSecond,
    payload: async (random) => {
      const messages = Array.from({ length: count }, () => randomBytes(random, bytes))
      const stream = one === undefined ? {} : { identity: one, session, first, age: stranger.now }
      first += count
      return await sealed(stranger, topic, { ...stream, messages })
    }
  })
}
