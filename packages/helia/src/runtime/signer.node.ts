import { createPrivateKey, sign } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'

// PrivateKeyInfo of RFC 8410 up to the 32-byte seed
const pkcs8Prefix = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/**
 * The same key, prepared once: the library imports an ed25519 key again for every signature, which takes twice as long as
 * signing, and each topic message needs one. Signatures are deterministic (RFC 8032), so they are the same bytes.
 */
export async function readyToSign(key: PrivateKey): Promise<PrivateKey> {
  if (key.type !== 'Ed25519') return key
  // The raw form is the seed followed by the public key.
  const seed = key.raw.subarray(0, 32)
  const prepared = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  return {
    type: key.type,
    raw: key.raw,
    publicKey: key.publicKey,
    equals: (other) => key.equals(other),
    sign: (data, options) => {
      options?.signal?.throwIfAborted()
      return sign(null, data instanceof Uint8Array ? data : data.subarray(), prepared)
    }
  }
}
