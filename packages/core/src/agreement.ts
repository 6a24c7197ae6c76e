import { invalidArgument } from './errors.ts'

// PrivateKeyInfo of RFC 8410 for X25519, up to the 32-byte key
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20)

/**
 * X25519 (RFC 7748) through WebCrypto, with the key of an Ed25519 seed. The seed's scalar, the first half of its SHA-512
 * (RFC 8032, 5.1.5), is also a private key of Curve25519. age's ssh-ed25519 recipients and libsodium's
 * `crypto_sign_ed25519_sk_to_curve25519` do the same. Thormarker, "On using the same key pair for Ed25519 and an X25519
 * based KEM" (2021), shows that one key may both sign and agree.
 */
export function agreement(seed: Uint8Array): (publicKey: Uint8Array) => Promise<Uint8Array> {
  const own = new Uint8Array(seed)
  let privateKey: Promise<CryptoKey> | undefined
  return async (publicKey) => {
    privateKey ??= importPrivateKey(own)
    const key = await privateKey
    try {
      const other = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'X25519', false, [])
      return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: other }, key, 256))
    } catch {
      throw invalidArgument('agree', 'agree: the key must be an X25519 public key of 32 bytes, and not of low order')
    }
  }
}

async function importPrivateKey(seed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const scalar = new Uint8Array(await crypto.subtle.digest('SHA-512', seed)).subarray(0, 32)
  const pkcs8 = new Uint8Array([...pkcs8Prefix, ...scalar])
  return await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
}
