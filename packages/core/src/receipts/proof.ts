import type { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import type { Clock } from '../clock.ts'
import { publicKeyFromPeerId } from '../identity.ts'
import { concatBytes } from '../toolbox/bytes.ts'
import { newBreather } from './breather.ts'

const domain = new TextEncoder().encode('p2pl/possession/1\0')

export interface Challenge {
  /** Random bytes of the asking peer, so that nothing can be computed ahead of time. */
  readonly nonce: Uint8Array
  /** The answering peer. One peer's answer is worthless to another. */
  readonly peer: string
  /** How many blocks the proof covers. */
  readonly challenge: number
}

/**
 * Proves that a peer has the bytes of blocks: a chain of hashes over the nonce, the peer and each challenged block. Both sides compute
 * it, and no content is sent. If the challenge covers fewer blocks than there are, nonce and peer choose them.
 */
export async function proofOf(
  cids: readonly CID[],
  { nonce, peer, challenge }: Challenge,
  clock: Clock,
  read: (cid: CID) => Promise<Uint8Array>
): Promise<Uint8Array> {
  const count = Uint8Array.of(...[24, 16, 8, 0].map((shift) => (cids.length >>> shift) & 0xff))
  let chain = await digest(domain, nonce, publicKeyFromPeerId(peer), count)
  const breather = newBreather(clock)
  for (const index of await chosen(cids.length, challenge, chain)) {
    const block = await read(cids[index] as CID)
    chain = await digest(chain, block)
    await breather.before(block.byteLength)
  }
  return chain
}

/** Indices in ascending order, `challenge` of them or all, chosen by the seed. */
async function chosen(count: number, challenge: number, seed: Uint8Array): Promise<number[]> {
  if (challenge >= count) return Array.from({ length: count }, (_, index) => index)
  const indices = new Set<number>()
  let state = seed
  while (indices.size < challenge) {
    state = await digest(state)
    const view = new DataView(state.buffer, state.byteOffset)
    for (let at = 0; at + 4 <= state.byteLength && indices.size < challenge; at += 4) {
      indices.add(view.getUint32(at) % count)
    }
  }
  return [...indices].sort((a, b) => a - b)
}

async function digest(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  return (await sha256.digest(concatBytes(...parts))).digest
}
