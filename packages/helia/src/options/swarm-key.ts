import { invalid } from './invalid.ts'

const help =
  'must be 32 bytes, a swarm.key (/key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits on three lines), or the path of one'

/** The key in the format of a `swarm.key` file, which the engine reads. A text of one line is the path of such a file. */
export function preSharedKey(value: string | Uint8Array): Uint8Array | string {
  if (value instanceof Uint8Array) {
    if (value.byteLength !== 32) return swarmKey(new TextDecoder().decode(value))
    return fileOf(Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(''))
  }
  if (typeof value !== 'string' || value === '') throw invalid('psk', help)
  return value.includes('\n') ? swarmKey(value) : value
}

/** Checks the text of a `swarm.key` file. The error does not repeat the text, because it is secret. */
export function swarmKey(content: string): Uint8Array {
  const hex = /^\/key\/swarm\/psk\/1\.0\.0\/\s+\/base16\/\s+([0-9a-f]{64})\s*$/i.exec(content)?.[1]
  if (hex === undefined) throw invalid('psk', help)
  return fileOf(hex.toLowerCase())
}

function fileOf(hex: string): Uint8Array {
  return new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${hex}`)
}
