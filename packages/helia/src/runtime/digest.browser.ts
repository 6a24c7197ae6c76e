import { sha256 } from '@noble/hashes/sha2.js'
import { bytesKey } from '@p2pl/core/backend'

const encoder = new TextEncoder()

/** SHA-256 over the concatenated parts, as text. It does not use WebCrypto, because the caller is synchronous. */
export function digestText(parts: Iterable<Uint8Array | string>): string {
  const hash = sha256.create()
  for (const part of parts) hash.update(typeof part === 'string' ? encoder.encode(part) : part)
  return bytesKey(hash.digest())
}
