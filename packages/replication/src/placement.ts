import type { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const utf8 = new TextEncoder()

/**
 * Rendezvous hashing: every peer ranks the candidates of a CID in the same order, without asking anybody. When a candidate
 * leaves, only its own copies move. When a candidate joins, it takes an equal share from all others.
 */
export async function ranked(cid: CID, candidates: readonly string[]): Promise<string[]> {
  const { digest } = cid.multihash
  const weighed = await Promise.all(
    candidates.map(async (name) => {
      const id = utf8.encode(name)
      const bytes = new Uint8Array(digest.byteLength + id.byteLength)
      bytes.set(digest)
      bytes.set(id, digest.byteLength)
      return { name, weight: (await sha256.digest(bytes)).digest }
    })
  )
  return weighed.sort((a, b) => compare(b.weight, a.weight)).map(({ name }) => name)
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return 0
}
