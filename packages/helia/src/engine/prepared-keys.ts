import type { PrivateKey, PublicKey } from '@libp2p/interface'
import {
  BoundedMap,
  bytesKey,
  synchronousSigner,
  type SynchronousVerifier,
  synchronousVerifier
} from '@p2pl/core/backend'

const seedLength = 32
const signatureLength = 64
const maxKeys = 1_024

const tended = new WeakSet<object>()
const verifiers = new BoundedMap<string, SynchronousVerifier>(maxKeys)

/**
 * Returns the same key, prepared once. The library imports an ed25519 key again for every signature, which takes twice
 * as long as signing, and each topic message needs a signature. Signatures are deterministic (RFC 8032), so the bytes
 * are the same. A key that the runtime cannot prepare is returned as it is.
 */
export function readyToSign(key: PrivateKey): PrivateKey {
  if (key.type !== 'Ed25519') return key
  // The raw form is the seed followed by the public key.
  const sign = synchronousSigner(key.raw.subarray(0, seedLength))
  if (sign === undefined) return key
  return {
    type: key.type,
    raw: key.raw,
    publicKey: key.publicKey,
    equals: (other) => key.equals(other),
    sign: (data, options) => {
      options?.signal?.throwIfAborted()
      return sign(data instanceof Uint8Array ? data : data.subarray())
    }
  }
}

/**
 * Makes all ed25519 keys of this key's class verify with keys that are prepared once, if the runtime can. The library
 * imports the key again for every signature, which takes two thirds of the time of the check itself, and creates a new
 * key object for each topic message.
 */
export function readyToVerify(key: PublicKey): void {
  if (key.type !== 'Ed25519' || synchronousVerifier(key.raw) === undefined) return
  const library = Object.getPrototypeOf(key) as Pick<PublicKey, 'raw' | 'verify'>
  if (tended.has(library) || typeof library.verify !== 'function') return
  tended.add(library)
  const verifyUnprepared = library.verify
  library.verify = function (data, signature, options) {
    const verify = signature.byteLength === signatureLength ? prepared(this.raw) : undefined
    if (verify === undefined) return verifyUnprepared.call(this, data, signature, options)
    options?.signal?.throwIfAborted()
    return verify(data instanceof Uint8Array ? data : data.subarray(), signature)
  }
}

function prepared(raw: Uint8Array): SynchronousVerifier | undefined {
  const id = bytesKey(raw)
  const known = verifiers.touch(id)
  if (known !== undefined) return known
  const verifier = synchronousVerifier(raw)
  if (verifier !== undefined) verifiers.set(id, verifier)
  return verifier
}
