import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { compareBytes, concatBytes } from '@p2pl/core/backend'

const info = new TextEncoder().encode('p2pl/room/1 direct')

export interface KeyPair {
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** X25519 (RFC 7748). */
export function createKeyPair(): KeyPair {
  return x25519.keygen()
}

/** One end of a pair: its stay and its public key. */
export interface End {
  readonly id: Uint8Array
  readonly key: Uint8Array
}

/** The key that two stays share; `undefined` if the other's key is not valid. */
export function pairKey(own: KeyPair, ownId: Uint8Array, other: End): Uint8Array | undefined {
  try {
    const shared = x25519.getSharedSecret(own.secretKey, other.key)
    const ends = [concatBytes(ownId, own.publicKey), concatBytes(other.id, other.key)].sort(compareBytes)
    return hkdf(sha256, shared, concatBytes(...ends), info, 32)
  } catch {
    return undefined
  }
}
