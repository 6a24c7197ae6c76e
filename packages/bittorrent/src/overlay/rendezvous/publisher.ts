import { sign, verify, type KeyObject } from 'node:crypto'
import { compactBytes } from '@p2pl/core/backend'
import { bytesOfKey, publicKeyLength, publicKeyOf } from '../wire/certificate.ts'

const signatureLength = 64

/** The key with which a peer signs its items in the DHT (BEP 44). The peer id is derived from the same key. */
export class Publisher {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.#key = key
    this.publicKey = bytesOfKey(key)
  }

  sign(message: Uint8Array): Uint8Array {
    return compactBytes(sign(null, message, this.#key))
  }
}

/** Never throws, although signature, message and key come from strangers and may be anything. */
export function isSigned(signature: unknown, message: unknown, publicKey: unknown): boolean {
  if (!isBytes(signature, signatureLength) || !isBytes(publicKey, publicKeyLength)) return false
  if (!(message instanceof Uint8Array)) return false
  try {
    return verify(null, message, publicKeyOf(publicKey), signature)
  } catch {
    return false
  }
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === length
}
