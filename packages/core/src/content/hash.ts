import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { sha512 } from 'multiformats/hashes/sha2'
import { P2plError } from '../errors.ts'
import { equalBytes } from '../toolbox/bytes.ts'
import { sha256 } from '../toolbox/sha256.ts'
import { readLimits } from './layout.ts'

type Hash = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

const sha256Code = 0x12
const hashes: ReadonlyMap<number, { readonly name: string; readonly hash: Hash; readonly bytes: number }> = new Map([
  [sha256Code, { name: 'sha2-256', hash: sha256, bytes: 32 }],
  [0x13, { name: 'sha2-512', hash: (bytes: Uint8Array) => sha512.encode(bytes), bytes: 64 }]
])
const identityCode = 0x00

/** The CIDv1 (sha2-256) of a block. Synchronous if the runtime's hash is. */
export function cidOf(codec: number, bytes: Uint8Array): CID | Promise<CID> {
  const digest = sha256(bytes)
  const made = (value: Uint8Array): CID => CID.createV1(codec, create(sha256Code, value))
  return digest instanceof Promise ? digest.then(made) : made(digest)
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

/** Throws `UNSUPPORTED` if the CID's hash is unknown here or truncated: it would prove nothing. */
export function assertVerifiable(cid: CID, operation: string, backend: string): void {
  hashOf(cid, operation, backend)
}

/** Digests of bytes that an adapter or layer has hashed, and core has not yet seen. */
const hashed = new WeakMap<Uint8Array, Uint8Array>()

/**
 * Throws `INVALID_CONTENT` unless the bytes hash to the CID. For adapters and layers: core does not hash these bytes again
 * when they reach it.
 */
export async function verifyBlock(cid: CID, bytes: Uint8Array, operation: string, backend: string): Promise<void> {
  await hashBlock(cid, bytes, operation, backend)
  hashed.set(bytes, cid.multihash.digest)
}

/**
 * The same, for core. It relies on an earlier {@link verifyBlock} of these bytes only once, because somebody may change
 * them later.
 */
export async function verifyDelivered(cid: CID, bytes: Uint8Array, operation: string, backend: string): Promise<void> {
  const digest = hashed.get(bytes)
  if (digest !== undefined) {
    hashed.delete(bytes)
    if (equalBytes(digest, cid.multihash.digest)) return
  }
  await hashBlock(cid, bytes, operation, backend)
}

async function hashBlock(cid: CID, bytes: Uint8Array, operation: string, backend: string): Promise<void> {
  const actual = await hashOf(cid, operation, backend)(bytes)
  if (!equalBytes(actual, cid.multihash.digest)) {
    throw new P2plError({
      code: 'INVALID_CONTENT',
      operation,
      backend,
      message: `the backend "${backend}" returned ${bytes.byteLength} bytes that do not hash to ${cid.toString()}`
    })
  }
}

function hashOf(cid: CID, operation: string, backend: string): Hash {
  const { code, digest } = cid.multihash
  const known = hashes.get(code)
  if (known !== undefined && digest.byteLength === known.bytes) return known.hash
  const what =
    known === undefined
      ? `the multihash 0x${code.toString(16)}`
      : `${known.name} with a digest of ${digest.byteLength} bytes`
  throw new P2plError({
    code: 'UNSUPPORTED',
    operation,
    backend,
    message: `${what} cannot be verified (${cid.toString()}); sha2-256, sha2-512 and identity can`
  })
}
