import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { randomBytes } from '../random.ts'
import type { Random } from '../random.ts'
import type { Ending } from '../simulator.ts'
import { sealed } from './envelopes.ts'
import { flood } from './flood.ts'
import type { Stranger } from './stranger.ts'

const sha256 = 0x12

/** A random CID for which no block exists. */
export function inventedCid(random: Random): CID {
  return CID.createV1(raw.code, create(sha256, randomBytes(random, 32)))
}

export interface ClaimFloodOptions {
  readonly perSecond: number
  /** Claims per envelope. Default 250. */
  readonly claims?: number | undefined
  /** The claimed size of each content, bytes. Default 1 MiB. */
  readonly size?: number | undefined
}

/**
 * Publishes genuine envelopes of new identities, full of claims for content that does not exist. The stranger names itself
 * as the provider; `serve` decides how it answers.
 */
export function floodClaims(stranger: Stranger, topic: string, options: ClaimFloodOptions): Ending {
  const { perSecond, claims = 250, size = 1_048_576 } = options
  return flood(stranger, topic, {
    perSecond,
    payload: async (random) => {
      const messages = Array.from({ length: claims }, () => ({ cid: inventedCid(random), size }))
      return await sealed(stranger, topic, { messages })
    }
  })
}
