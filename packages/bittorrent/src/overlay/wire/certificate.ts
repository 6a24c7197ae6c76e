import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { compactBytes, concatBytes } from '@p2pl/core/backend'
import { fromHex, fromText } from '../../tools/bytes.ts'

export const publicKeyLength = 32
export const seedLength = 32
/** The fixed bytes before the 32 bytes of a key in its usual encodings (RFC 8410). */
const privatePrefix = fromHex('302e020100300506032b657004220420') as Uint8Array
const publicPrefix = fromHex('302a300506032b6570032100') as Uint8Array

/** The private key for a seed (RFC 8032). */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concatBytes(privatePrefix, seed)), format: 'der', type: 'pkcs8' })
}

/** The public key from its 32 bytes. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concatBytes(publicPrefix, bytes)), format: 'der', type: 'spki' })
}

/** The 32 bytes of the public key. For a private key, those of its public half. */
export function bytesOfKey(key: KeyObject): Uint8Array {
  const spki = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'der', type: 'spki' })
  return compactBytes(spki.subarray(spki.byteLength - publicKeyLength))
}

const tag = { integer: 0x02, bits: 0x03, oid: 0x06, sequence: 0x30, shortTime: 0x17, longTime: 0x18 } as const
/** 1.3.101.112, Ed25519. */
const algorithm = der(tag.sequence, der(tag.oid, Uint8Array.of(0x2b, 0x65, 0x70)))
const nobody = der(tag.sequence)
/** Never checked, because a wrong clock must not keep a peer out. */
const always = der(
  tag.sequence,
  der(tag.shortTime, fromText('700101000000Z')),
  der(tag.longTime, fromText('99991231235959Z'))
)

/**
 * The smallest certificate that carries a key (RFC 5280, version 1), signed by that key, as PEM. TLS requires a
 * certificate, but a peer looks only at the key in it.
 */
export function certificateOf(key: KeyObject): string {
  const spki = compactBytes(createPublicKey(key).export({ format: 'der', type: 'spki' }))
  const content = der(tag.sequence, der(tag.integer, Uint8Array.of(1)), algorithm, nobody, always, nobody, spki)
  const signature = der(tag.bits, Uint8Array.of(0), compactBytes(sign(null, content, key)))
  const base64 = Buffer.from(der(tag.sequence, content, algorithm, signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
}

/** One DER value. All values here are shorter than 64 KiB. */
function der(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  const { byteLength: length } = body
  if (length < 0x80) return concatBytes(Uint8Array.of(kind, length), body)
  if (length < 0x100) return concatBytes(Uint8Array.of(kind, 0x81, length), body)
  return concatBytes(Uint8Array.of(kind, 0x82, length >> 8, length & 0xff), body)
}
