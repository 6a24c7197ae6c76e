import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto'
import { concatBytes, fromHex, plain } from '../bytes.ts'

export const publicKeyLength = 32
export const seedLength = 32
const signatureLength = 64
/** What stands before the 32 bytes in the usual encodings of keys for Ed25519 (RFC 8410). */
const privatePrefix = fromHex('302e020100300506032b657004220420') as Uint8Array
const publicPrefix = fromHex('302a300506032b6570032100') as Uint8Array

/** The key with which a participant signs what it says in the DHT (BEP 44). */
export class Publisher {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #key: KeyObject

  /** `seed`: the 32 bytes of the private key (RFC 8032). */
  constructor(seed: Uint8Array) {
    const der = Buffer.from(concatBytes(privatePrefix, seed))
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    this.publicKey = plain(spki.subarray(spki.byteLength - publicKeyLength))
  }

  sign(message: Uint8Array): Uint8Array {
    return plain(sign(null, message, this.#key))
  }
}

export function newSeed(): Uint8Array {
  return new Uint8Array(randomBytes(seedLength))
}

/** Never throws: signature, message and key are somebody else's, and may be anything. */
export function isSigned(signature: unknown, message: unknown, publicKey: unknown): boolean {
  if (!isBytes(signature, signatureLength) || !isBytes(publicKey, publicKeyLength)) return false
  if (!(message instanceof Uint8Array)) return false
  try {
    const der = Buffer.from(concatBytes(publicPrefix, publicKey))
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
  } catch {
    return false
  }
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === length
}
