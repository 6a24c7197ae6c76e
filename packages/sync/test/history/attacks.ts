import type { Ending, Stranger } from '@p2pl/simulator'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { encodeFrame } from '../../src/history/frame.ts'
import type { Frame } from '../../src/history/frame.ts'
import { forge, randomBytes, say } from '../attackers/forge.ts'

async function announce(stranger: Stranger, content: Frame['content']): Promise<void> {
  const payload = encodeFrame({ headers: {}, content })
  const { bytes } = await forge(stranger.identity(), { payload })
  await say(stranger, { kind: 'announcement', providers: [stranger.address], entries: [bytes] })
}

/** Valid messages of new identities, whose large payloads nobody has. */
export function claims(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    const cid = CID.createV1(raw.code, await sha256.digest(randomBytes(stranger.random, 32)))
    await announce(stranger, { cid, size: 100_000 })
  })
}

/** Valid messages of new identities. */
export function spam(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    await announce(stranger, randomBytes(stranger.random, 20))
  })
}
