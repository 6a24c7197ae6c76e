import type { PrivateKey } from '@libp2p/interface'
import type { Settings } from '../options/settings.ts'
import { readyToSign, readyToVerify } from './prepared-keys.ts'
import type { Stores } from './stores.ts'

/** The key of a backend without a folder. It keeps the peer id the same across `stop` and `start`. */
export interface MemoryKey {
  key?: PrivateKey
}

const keyName = new TextEncoder().encode('private-key')

/** The node's key, from the folder or from memory. It is created at the first start. */
export async function privateKey(settings: Settings, stores: Stores, memory: MemoryKey): Promise<PrivateKey> {
  const key = await load(settings, stores, memory)
  readyToVerify(key.publicKey)
  return key
}

async function load(settings: Settings, stores: Stores, memory: MemoryKey): Promise<PrivateKey> {
  if (settings.dir === undefined) return (memory.key ??= readyToSign(await newKey()))
  const { privateKeyFromProtobuf, privateKeyToProtobuf } = await import('@libp2p/crypto/keys')
  const stored = await stores.state.get(keyName)
  if (stored !== undefined) return readyToSign(privateKeyFromProtobuf(stored))
  const key = await newKey()
  await stores.state.write([{ key: keyName, value: privateKeyToProtobuf(key) }])
  return readyToSign(key)
}

async function newKey(): Promise<PrivateKey> {
  const { generateKeyPair } = await import('@libp2p/crypto/keys')
  return await generateKeyPair('Ed25519')
}
