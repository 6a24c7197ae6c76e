import { createHash, hash } from 'node:crypto'

/** SHA-256 over the parts, one after the other, in base64. */
export function digestText(parts: Iterable<Uint8Array | string>): string {
  const whole = createHash('sha256')
  for (const part of parts) whole.update(part)
  return whole.digest('base64')
}

export function digestBytes(name: 'sha256' | 'sha512', data: Uint8Array): Uint8Array {
  return hash(name, data, 'buffer')
}
