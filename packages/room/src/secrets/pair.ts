import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'

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

/** The key that two stays share; `undefined` where the other's key is none. */
export function pairKey(own: KeyPair, ownId: Uint8Array, other: End): Uint8Array | undefined {
  try {
    const shared = x25519.getSharedSecret(own.secretKey, other.key)
    const ends = [
      [...ownId, ...own.publicKey],
      [...other.id, ...other.key]
    ].sort(compare)
    return hkdf(sha256, shared, Uint8Array.from(ends.flat()), info, 32)
  } catch {
    return undefined
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
