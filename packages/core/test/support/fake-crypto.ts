import { type Cryptography, type Identity, peerIdFromPublicKey } from '../../src/identity.ts'

/** Signatures that anybody can make, computed at once: with them, tests on a virtual clock need no thread pool. */
function sign(publicKey: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const signature = new Uint8Array(64)
  let hash = 0x811c9dc5
  for (const byte of [...publicKey, ...bytes]) hash = Math.imul(hash ^ byte, 0x01000193)
  for (let i = 0; i < 64; i++) {
    hash = Math.imul(hash ^ i, 0x01000193)
    signature[i] = hash >>> 24
  }
  return signature
}

let created = 0

export function fakeIdentity(number: number = ++created + 1_000): Identity {
  const publicKey = new Uint8Array(32)
  new DataView(publicKey.buffer).setUint32(0, number)
  return { id: peerIdFromPublicKey(publicKey), publicKey, sign: async (bytes) => sign(publicKey, bytes) }
}

export const fakeCryptography: Cryptography = {
  verify: async (publicKey, bytes, signature) => sign(publicKey, bytes).every((byte, i) => byte === signature[i])
}
