import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { PublicKey } from '@libp2p/interface'
import { BoundedMap, bytesKey } from '@p2pl/core/backend'

// SubjectPublicKeyInfo of RFC 8410 up to the 32 bytes of the key
const spkiPrefix = Uint8Array.of(48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0)
const signatureLength = 64
const maxKeys = 1_024

const tended = new WeakSet<object>()
const keys = new BoundedMap<string, KeyObject>(maxKeys)

/**
 * Lets all ed25519 keys of this key's class check with keys that are prepared once. The library imports the key again for every
 * signature, which takes two thirds as long as the check itself, and makes an object of the key anew for each topic message.
 */
export function readyToVerify(key: PublicKey): void {
  if (key.type !== 'Ed25519') return
  const library = Object.getPrototypeOf(key) as Pick<PublicKey, 'raw' | 'verify'>
  if (tended.has(library) || typeof library.verify !== 'function') return
  tended.add(library)
  const verifyUnprepared = library.verify
  library.verify = function (data, signature, options) {
    if (signature.byteLength !== signatureLength) return verifyUnprepared.call(this, data, signature, options)
    options?.signal?.throwIfAborted()
    return verify(null, data instanceof Uint8Array ? data : data.subarray(), prepared(this.raw), signature)
  }
}

function prepared(raw: Uint8Array): KeyObject {
  const id = bytesKey(raw)
  const known = keys.touch(id)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
  keys.set(id, key)
  return key
}
