import { CID } from 'multiformats/cid'
import { Digest } from 'multiformats/hashes/digest'
import type { Bytes } from './bytes.ts'

export { sha256 as hash } from '@p2pl/core/backend'

export const digestBytes = 32
export const dagCborCode = 0x71
const sha256Code = 0x12
/** The bytes before the digest in the CID of every entry and node: version 1, DAG-CBOR, sha2-256, 32 bytes. */
export const cidPrefix: Bytes = Uint8Array.of(0x01, dagCborCode, sha256Code, digestBytes)
/** Tag 42, a byte string of 37 bytes, the identity multibase, and {@link cidPrefix}. */
export const linkPrefix: Bytes = Uint8Array.of(0xd8, 0x2a, 0x58, 0x25, 0x00, ...cidPrefix)

/** The CID of an entry or node from its digest of 32 bytes, which is copied. */
export function cidOf(digest: Uint8Array): CID {
  // Every entry needs several CIDs. The parts of one CID share memory, as in a decoded CID.
  const bytes = new Uint8Array(cidPrefix.length + digestBytes)
  bytes.set(cidPrefix)
  bytes.set(digest, cidPrefix.length)
  const multihash = new Digest(sha256Code, digestBytes, bytes.subarray(cidPrefix.length), bytes.subarray(2))
  return new CID(1, dagCborCode, multihash, bytes)
}

/** The digest of the CID if an entry or node can have this CID; `undefined` for any other value. */
export function digestOf(value: unknown): Bytes | undefined {
  const cid = CID.asCID(value)
  if (cid === null || cid.version !== 1 || cid.code !== dagCborCode) return undefined
  const { code, digest } = cid.multihash
  return code === sha256Code && digest.length === digestBytes ? digest : undefined
}
