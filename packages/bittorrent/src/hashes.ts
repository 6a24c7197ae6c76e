import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { equalBytes } from './bytes.ts'
import { failure } from './errors.ts'

/** The hash functions of blocks: what comes from others is checked before it is stored and served on. */
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

/** The CID as one of the multiformats here, whatever version made it. */
export function checkCid(operation: string, cid: CID): CID {
  const own = CID.asCID(cid)
  if (own === null)
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: `not a CID: ${String(cid).slice(0, 80)}` })
  return own
}

/** The same for blocks, which are kept by multihash. */
export function checkBlockCid(operation: string, cid: CID): CID {
  const own = checkCid(operation, cid)
  if (!algorithms.has(own.multihash.code))
    throw failure({
      code: 'UNSUPPORTED',
      operation,
      message: `blocks are addressed by sha2-256 (0x12) or sha2-512 (0x13), not by multihash 0x${own.multihash.code.toString(16)}`
    })
  return own
}
