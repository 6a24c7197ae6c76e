import { concatBytes } from '@p2pl/core/backend'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'

const nonceLength = 24
const encoder = new TextEncoder()

/** Encrypts with a random nonce in front, and binds the bytes to a context that is not sent. */
export function sealBytes(key: Uint8Array, bytes: Uint8Array, context: string): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceLength))
  const sealed = xchacha20poly1305(key, nonce, encoder.encode(context)).encrypt(bytes)
  return concatBytes(nonce, sealed)
}

/** Returns `undefined` for anything that was not sealed with this key in this context. Never throws. */
export function openBytes(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array | undefined {
  if (sealed.byteLength < nonceLength + 16) return undefined
  const nonce = sealed.subarray(0, nonceLength)
  try {
    return xchacha20poly1305(key, nonce, encoder.encode(context)).decrypt(sealed.subarray(nonceLength))
  } catch {
    return undefined
  }
}
