import { base58btc } from 'multiformats/bases/base58'
import { agreement } from './agreement.ts'
import { systemClock } from './clock.ts'
import { invalidArgument, P2plError } from './errors.ts'
import { pkcs8Of, synchronousSigner, type SynchronousVerifier, synchronousVerifier } from './synchronous-signatures.ts'
import { isBytes } from './toolbox/bytes.ts'
import { describe } from './toolbox/options.ts'

/** An ed25519 key pair (RFC 8032) that signs, independent of any engine. */
export interface Identity {
  /** The public key as a libp2p peer id in base58btc: `12D3KooW…` (libp2p peer-ids spec). */
  readonly id: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** The 64-byte signature of the bytes. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Derives a shared secret (X25519, RFC 7748) from this key, converted to Curve25519, and another peer's public key. It
   * opens content that was sealed to this peer. Absent if the key cannot do that. Throws `INVALID_ARGUMENT` for anything
   * but a public key.
   */
  agree?(publicKey: Uint8Array): Promise<Uint8Array>
}

/** How signatures are checked. The simulator replaces it with something faster; everywhere else it is {@link ed25519}. */
export interface Cryptography {
  verify(
    publicKey: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>
  ): Promise<boolean>
}

export const publicKeyLength = 32
export const signatureLength = 64

// identity multihash (0x00, 36 bytes) of the protobuf PublicKey { Type: Ed25519 (1), Data: 32 bytes }
const peerIdPrefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const maxCachedIds = 4096
const peerIds = new Map<string, string>()

/** The peer id of an ed25519 public key. */
export function peerIdFromPublicKey(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== publicKeyLength) {
    throw invalidArgument(
      'peerIdFromPublicKey',
      `an ed25519 public key has ${publicKeyLength} bytes, not ${publicKey.byteLength}`
    )
  }
  // Base58 is slow, and every envelope needs it, so the ids of the latest senders are cached.
  const key = cacheKey(publicKey)
  const known = peerIds.get(key)
  if (known !== undefined) return known
  const bytes = new Uint8Array(peerIdPrefix.length + publicKeyLength)
  bytes.set(peerIdPrefix)
  bytes.set(publicKey, peerIdPrefix.length)
  const id = base58btc.baseEncode(bytes)
  remember(peerIds, key, id, maxCachedIds)
  return id
}

/** One character per byte: several times faster than spreading the bytes. */
function cacheKey(publicKey: Uint8Array): string {
  return String.fromCharCode.apply(null, publicKey as unknown as number[])
}

function remember<V>(cache: Map<string, V>, key: string, value: V, limit: number): void {
  if (cache.size >= limit) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest)
      break
    }
  }
  cache.set(key, value)
}

/** The public key inside an ed25519 peer id. Throws `INVALID_ARGUMENT` for any other text. */
export function publicKeyFromPeerId(id: string): Uint8Array<ArrayBuffer> {
  const bytes = typeof id === 'string' ? tryDecode(id) : undefined
  if (
    bytes === undefined ||
    bytes.length !== peerIdPrefix.length + publicKeyLength ||
    peerIdPrefix.some((byte, i) => bytes[i] !== byte) ||
    // The decoder accepts texts that no encoder writes. Without this check one key would have many names.
    base58btc.baseEncode(bytes) !== id
  ) {
    throw invalidArgument(
      'publicKeyFromPeerId',
      `${describe(id)} is not the peer id of an ed25519 key (it starts with 12D3KooW)`
    )
  }
  return bytes.slice(peerIdPrefix.length)
}

function tryDecode(id: string): Uint8Array<ArrayBuffer> | undefined {
  if (id.length > 80) return undefined
  try {
    return base58btc.baseDecode(id)
  } catch {
    return undefined
  }
}

/** A new random identity. */
export async function createIdentity(): Promise<Identity> {
  return await identityFromSeed(crypto.getRandomValues(new Uint8Array(32)))
}

/**
 * The identity of a private key: the 32-byte seed of RFC 8032. Keep it secret, and never run two peers with one identity:
 * others would take the messages of one peer for replays.
 */
export async function identityFromSeed(seed: Uint8Array): Promise<Identity> {
  if (!isBytes(seed) || seed.byteLength !== 32) {
    const given = isBytes(seed) ? seed.byteLength : describe(seed)
    throw invalidArgument('identityFromSeed', `an ed25519 seed is a Uint8Array of 32 bytes, not ${given}`)
  }
  const privateKey = await importKey(() => crypto.subtle.importKey('pkcs8', pkcs8Of(seed), 'Ed25519', true, ['sign']))
  const jwk = await crypto.subtle.exportKey('jwk', privateKey)
  const publicKey = Uint8Array.from(atob((jwk.x ?? '').replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0)
  )
  const signAtOnce = synchronousSigner(seed)
  return {
    id: peerIdFromPublicKey(publicKey),
    publicKey,
    agree: agreement(seed),
    sign: async (bytes) => signAtOnce?.(bytes) ?? new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, bytes))
  }
}

async function importKey(load: () => Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await load()
  } catch (cause) {
    throw new P2plError({
      code: 'MISSING_DEPENDENCY',
      operation: 'identity',
      cause,
      message: 'this runtime has no Ed25519 in WebCrypto: use Node 22, Chromium 137, Firefox 129, Safari 17 or later'
    })
  }
}

interface VerifyingKey {
  readonly key: CryptoKey
  readonly atOnce: SynchronousVerifier | undefined
}

const maxCachedKeys = 1024
const importedKeys = new Map<string, VerifyingKey>()

async function importVerifyingKey(id: string, publicKey: Uint8Array<ArrayBuffer>): Promise<VerifyingKey> {
  const key = await importKey(() => crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']))
  const verifying = { key, atOnce: synchronousVerifier(publicKey) }
  // Keys come from the network: the cache is bounded.
  remember(importedKeys, id, verifying, maxCachedKeys)
  return verifying
}

/** Checks under way on the thread pool. */
let underWay = 0
/** Whether this thread has already done a check in this turn of the event loop. */
let checkedInTurn = false
/** Larger input would block the event loop for longer than a trip through the thread pool takes. */
const mostAtOnce = 16 * 1024

/**
 * Ed25519. A lone check runs on this thread, because a trip through the thread pool takes as long as the check itself, and
 * longer when the cores are busy. Further checks go to WebCrypto, which uses all cores. This thread does at most one check
 * per turn of the event loop.
 */
export const ed25519: Cryptography = {
  verify: async (publicKey, bytes, signature) => {
    if (publicKey.byteLength !== publicKeyLength || signature.byteLength !== signatureLength) return false
    const id = cacheKey(publicKey)
    const { key, atOnce } = importedKeys.get(id) ?? (await importVerifyingKey(id, publicKey))
    if (atOnce !== undefined && underWay === 0 && !checkedInTurn && bytes.byteLength <= mostAtOnce) {
      checkedInTurn = true
      systemClock.nextTurn(() => {
        checkedInTurn = false
      })
      return atOnce(bytes, signature)
    }
    underWay++
    try {
      return await crypto.subtle.verify('Ed25519', key, signature, bytes)
    } finally {
      underWay--
    }
  }
}
