import { hkdf } from '@noble/hashes/hkdf.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { invalidArgument } from '@p2pl/core/backend'
import { base32 } from 'multiformats/bases/base32'

const version = 'p2pl/room/1'
const prefix = 'p2pl-secret-'
const keyLength = 32
const leastPassphrase = 8
// 32 MiB and a few tenths of a second, in slices of 10 ms, which a phone can handle. (OWASP recommends N = 2^15 with r = 8 and p = 3.)
const scryptCost = { N: 2 ** 15, r: 8, p: 3, dkLen: keyLength, asyncTick: 10 } as const
const encoder = new TextEncoder()

/** A random secret for a room, as text that can be passed on: `p2pl-secret-…`. */
export function createSecret(): string {
  return secretText(crypto.getRandomValues(new Uint8Array(keyLength)))
}

/** The text that stands for 32 random bytes. */
export function secretText(bytes: Uint8Array): string {
  return prefix + base32.baseEncode(bytes)
}

/** A given secret: its 32 random bytes, or a passphrase. */
export function readSecret(operation: string, secret: string | Uint8Array): Uint8Array | string {
  if (secret instanceof Uint8Array && secret.byteLength === keyLength) return new Uint8Array(secret)
  if (typeof secret !== 'string' || secret.length < leastPassphrase) {
    throw invalidArgument(
      operation,
      `${operation}: secret must be ${keyLength} bytes, the text of createSecret(), or a passphrase of at least ${leastPassphrase} characters`
    )
  }
  if (!secret.startsWith(prefix)) return secret.normalize('NFKC')
  try {
    const bytes = base32.baseDecode(secret.slice(prefix.length).trim())
    if (bytes.byteLength === keyLength) return bytes
  } catch {
    // Falls through to the same error.
  }
  throw invalidArgument(operation, `${operation}: the secret is damaged: copy the whole text that createSecret() gave`)
}

/** The 32 bytes for a secret in a room of this name. A passphrase takes a while. */
export async function secretKey(secret: string | Uint8Array, room: string): Promise<Uint8Array> {
  const value = readSecret('joinRoom', secret)
  if (typeof value !== 'string') return value
  return await scryptAsync(encoder.encode(value), encoder.encode(`${version} ${room}`), scryptCost)
}

export interface RoomKeys {
  readonly topic: string
  /** Absent in an open room. */
  readonly key?: Uint8Array
}

/** The topic of the room, and the key that encrypts it. The topic of a secret room does not reveal the room's name. */
export function roomKeys(room: string, secret: Uint8Array | undefined): RoomKeys {
  if (secret === undefined) return { topic: `${version}/${room}` }
  const derive = (use: string): Uint8Array =>
    hkdf(sha256, secret, encoder.encode(room), encoder.encode(`${version} ${use}`), keyLength)
  return { topic: `${version}/${base32.baseEncode(derive('topic'))}`, key: derive('key') }
}
