import { sha256 } from '@noble/hashes/sha2.js'
import { bytesKey } from '@p2pl/core/backend'

const encoder = new TextEncoder()

/** SHA-256 over the parts, one after the other, as a text. Not by WebCrypto: the caller cannot wait. */
export function digestText(parts: Iterable<Uint8Array | string>): string {
  const hash = sha256.create()
  for (const part of parts) hash.update(typeof part === 'string' ? encoder.encode(part) : part)
  return bytesKey(hash.digest())
}
