import { createHash, randomBytes, type KeyObject } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { concatBytes } from '@p2pl/core/backend'
import { fromText, hexOf } from '../tools/bytes.ts'
import { bytesOfKey, privateKeyOf } from './wire/certificate.ts'
import { secureContextOf } from './wire/secure.ts'

/** Client and version, as other clients show them (BEP 20). */
const peerIdPrefix = fromText('-P20002-')
export const peerIdLength = 20

/** One peer, as others know it. */
export interface Identity {
  /** 20 bytes: eight that name the client, twelve from the hash of the key. */
  readonly peerId: Uint8Array
  /** The same as 40 hexadecimal digits. */
  readonly id: string
  /** 20 bytes: the id in the DHT. It reveals nothing about the peer. */
  readonly nodeId: Uint8Array
  readonly key: KeyObject
  readonly secureContext: SecureContext
}

/** `seed`: the 32 bytes of the private key. */
export function identityOf(seed: Uint8Array, nodeId: Uint8Array = new Uint8Array(randomBytes(20))): Identity {
  const key = privateKeyOf(seed)
  const peerId = peerIdOfKey(bytesOfKey(key))
  return { peerId, id: hexOf(peerId), nodeId, key, secureContext: secureContextOf(key) }
}

/** The only id that the owner of the key can have. */
export function peerIdOfKey(publicKey: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(publicKey).digest()
  return concatBytes(peerIdPrefix, hash.subarray(0, peerIdLength - peerIdPrefix.byteLength))
}
