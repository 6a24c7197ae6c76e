import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { base64 } from 'multiformats/bases/base64'

/** The file key has 16 bytes. Sealing adds a tag of 16 bytes. */
const sealedLength = 32
const zeroNonce = new Uint8Array(12)

/** Each wrapping key is used once. */
export function sealFileKey(key: Uint8Array, fileKey: Uint8Array): Uint8Array {
  return chacha20poly1305(key, zeroNonce).encrypt(fileKey)
}

/** Returns `null` if it was sealed with another key. */
export function openFileKey(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.byteLength !== sealedLength) return null
  try {
    return chacha20poly1305(key, zeroNonce).decrypt(sealed)
  } catch {
    return null
  }
}

/** Base64 without padding, as in the headers of age. */
export function encodeArgument(bytes: Uint8Array): string {
  return base64.baseEncode(bytes)
}

/** Returns `undefined` for anything but that many bytes. */
export function decodeArgument(text: string | undefined, length: number): Uint8Array | undefined {
  if (text?.length !== Math.ceil((length * 4) / 3)) return undefined
  try {
    const bytes = base64.baseDecode(text)
    return bytes.byteLength === length ? bytes : undefined
  } catch {
    return undefined
  }
}
