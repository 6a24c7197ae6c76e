import { sha256 } from '@noble/hashes/sha2.js'
import { textOf } from '@p2pl/embedded'

const encoder = new TextEncoder()

/** SHA-256 over the parts, one after the other, as a text. Not by WebCrypto: who asks cannot wait. */
export function digestText(parts: Iterable<Uint8Array | string>): string {
  const hash = sha256.create()
  for (const part of parts) hash.update(typeof part === 'string' ? encoder.encode(part) : part)
  return textOf(hash.digest())
}
