import { CID } from 'multiformats/cid'
import type { MultihashHasher } from 'multiformats/hashes/interface'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { P2plError } from '../errors.ts'
import { equalBytes } from '../toolbox/bytes.ts'
import { readLimits } from './layout.ts'

const hashers: ReadonlyMap<number, { hasher: MultihashHasher; bytes: number }> = new Map([
  [0x12, { hasher: sha256, bytes: 32 }],
  [0x13, { hasher: sha512, bytes: 64 }]
])
const identityCode = 0x00

/** The CIDv1 (sha2-256) of a block. Synchronous where the runtime's hash is. */
export function cidOf(codec: number, bytes: Uint8Array): CID | Promise<CID> {
  const digest = sha256.digest(bytes)
  return digest instanceof Promise ? digest.then((value) => CID.createV1(codec, value)) : CID.createV1(codec, digest)
}

/** The bytes that an identity CID carries; `undefined` for any other CID. */
export function identityBytes(cid: CID, operation: string): Uint8Array | undefined {
  if (cid.multihash.code !== identityCode) return undefined
  const bytes = cid.multihash.digest
  if (bytes.byteLength > readLimits.identityBytes) {
    throw new P2plError({
      code: 'TOO_LARGE',
      operation,
      message: `an identity CID carries ${bytes.byteLength} bytes; at most ${readLimits.identityBytes} are read`
    })
  }
  return bytes
}

/** Throws `UNSUPPORTED` where the CID's hash is unknown here, or cut short: nothing would be proven by it. */
export function assertVerifiable(cid: CID, operation: string, backend: string): void {
  hasherOf(cid, operation, backend)
}

/** Throws `INVALID_CONTENT` unless the bytes hash to the CID. */
export async function verifyBlock(cid: CID, bytes: Uint8Array, operation: string, backend: string): Promise<void> {
  const actual = await hasherOf(cid, operation, backend).digest(bytes)
  if (!equalBytes(actual.digest, cid.multihash.digest)) {
    throw new P2plError({
      code: 'INVALID_CONTENT',
      operation,
      backend,
      message: `the backend "${backend}" returned ${bytes.byteLength} bytes that do not hash to ${cid.toString()}`
    })
  }
}

function hasherOf(cid: CID, operation: string, backend: string): MultihashHasher {
  const { code, digest } = cid.multihash
  const known = hashers.get(code)
  if (known !== undefined && digest.byteLength === known.bytes) return known.hasher
  const what =
    known === undefined
      ? `the multihash 0x${code.toString(16)}`
      : `${known.hasher.name} with a digest of ${digest.byteLength} bytes`
  throw new P2plError({
    code: 'UNSUPPORTED',
    operation,
    backend,
    message: `${what} cannot be verified (${cid.toString()}); sha2-256, sha2-512 and identity can`
  })
}
