import type { PrivateKey } from '@libp2p/interface'
import type { Settings } from './options.ts'
import type { Stores } from './stores.ts'

/** The key of a backend without a folder: its peer id is the same after `stop` and `start`. */
export interface MemoryKey {
  key?: PrivateKey
}

const keyName = new TextEncoder().encode('private-key')

/** The node's key: the folder's, or that of the memory, made at the first start. */
export async function privateKey(settings: Settings, stores: Stores, memory: MemoryKey): Promise<PrivateKey> {
  if (settings.dir === undefined) return (memory.key ??= await readyToSign(await newKey()))
  const { privateKeyFromProtobuf, privateKeyToProtobuf } = await import('@libp2p/crypto/keys')
  const stored = await stores.state.get(keyName)
  if (stored !== undefined) return await readyToSign(privateKeyFromProtobuf(stored))
  const key = await newKey()
  await stores.state.write([{ key: keyName, value: privateKeyToProtobuf(key) }])
  return await readyToSign(key)
}

async function newKey(): Promise<PrivateKey> {
  const { generateKeyPair } = await import('@libp2p/crypto/keys')
  return await generateKeyPair('Ed25519')
}

// PrivateKeyInfo of RFC 8410 up to the 32-byte seed
const pkcs8Prefix = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/**
 * The same key, prepared once: the library imports an ed25519 key again for every signature, which takes twice as long as
 * signing, and each topic message needs one. Signatures are deterministic (RFC 8032), so they are the same bytes.
 */
async function readyToSign(key: PrivateKey): Promise<PrivateKey> {
  if (key.type !== 'Ed25519') return key
  const { createPrivateKey, sign } = await import('node:crypto')
  // The raw form is the seed followed by the public key.
  const seed = key.raw.subarray(0, 32)
  const prepared = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  return {
    type: key.type,
    raw: key.raw,
    publicKey: key.publicKey,
    equals: (other) => key.equals(other),
    sign: (data, options) => {
      options?.signal?.throwIfAborted()
      return sign(null, data instanceof Uint8Array ? data : data.subarray(), prepared)
    }
  }
}
