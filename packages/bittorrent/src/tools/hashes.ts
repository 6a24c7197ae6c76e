import { createHash } from 'node:crypto'
import { equalBytes } from '@p2pl/core/backend'
import * as Digest from 'multiformats/hashes/digest'

/** The hash functions of blocks. Blocks from others are checked before they are stored and served. */
const algorithms: ReadonlyMap<number, string> = new Map([
  [0x12, 'sha256'],
  [0x13, 'sha512']
])

export const hashCodes: readonly number[] = [...algorithms.keys()]

/** Whether the bytes hash to the multihash. */
export function matches(multihash: Uint8Array, bytes: Uint8Array): boolean {
  const { code, digest } = Digest.decode(multihash)
  const algorithm = algorithms.get(code)
  return algorithm !== undefined && equalBytes(createHash(algorithm).update(bytes).digest(), digest)
}
