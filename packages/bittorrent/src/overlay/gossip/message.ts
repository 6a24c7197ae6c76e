import { createHash, randomBytes } from 'node:crypto'
import { bytesKey, compactBytes, concatBytes } from '@p2pl/core/backend'
import { hexOf } from '../../tools/bytes.ts'
import { peerIdLength } from '../identity.ts'
import type { Key } from '../keys.ts'

export const maxMessageBytes = 1_048_576
export const keyLength = 20
export const messageIdLength = 16
/** Makes two messages with equal content distinct. */
const nonceLength = 8
const originStart = keyLength
const nonceStart: number = originStart + peerIdLength
export const headLength: number = nonceStart + nonceLength

/** The body of a new message: topic, publisher, nonce, payload. */
export function encodeMessage(key: Key, origin: Uint8Array, payload: Uint8Array): Uint8Array {
  return concatBytes(key, origin, new Uint8Array(randomBytes(nonceLength)), payload)
}

/**
 * The id of a message is a hash of its whole body. So two messages cannot have the same id, and the same message cannot
 * have two ids.
 */
export function messageIdOf(body: Uint8Array): Uint8Array {
  return compactBytes(createHash('sha256').update(body).digest().subarray(0, messageIdLength))
}

export function topicOf(body: Uint8Array): string {
  return bytesKey(body.subarray(0, keyLength))
}

/** The claimed publisher. */
export function originOf(body: Uint8Array): Uint8Array {
  return body.slice(originStart, nonceStart)
}

/** The parts of a message for its subscribers, as copies that they may change. */
export function contentOf(body: Uint8Array): { readonly payload: Uint8Array; readonly from: string } {
  return { payload: new Uint8Array(body.subarray(headLength)), from: hexOf(body.subarray(originStart, nonceStart)) }
}
