import { createHash } from 'node:crypto'

/** SHA-256 over the concatenated parts, in base64. */
export function digestText(parts: Iterable<Uint8Array | string>): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('base64')
}
