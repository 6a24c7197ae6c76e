import { readUint64, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidPrefix, digestBytes } from '../cid.ts'
import { boundaryBits, maxLevels } from '../limits.ts'

/** Clock (8 bytes, big-endian) ‖ CID (36 bytes). The byte order of keys is the canonical order of entries. */
export type Key = Bytes
export const keyBytes: number = 8 + cidPrefix.length + digestBytes
const digestOffset = 8 + cidPrefix.length

export function keyOf(clock: number, digest: Uint8Array): Key {
  const key = new Uint8Array(keyBytes)
  writeUint64(key, clock, 0)
  key.set(cidPrefix, 8)
  key.set(digest, digestOffset)
  return key
}

/** Concatenates keys, without separators. */
export function packKeys(keys: readonly Key[]): Bytes {
  const packed = new Uint8Array(keys.length * keyBytes)
  for (const [i, key] of keys.entries()) packed.set(key, i * keyBytes)
  return packed
}

export function unpackKeys(packed: Bytes): Key[] {
  const keys: Key[] = []
  for (let at = 0; at + keyBytes <= packed.length; at += keyBytes) keys.push(packed.slice(at, at + keyBytes))
  return keys
}

export function digestOfKey(key: Key): Bytes {
  return key.subarray(digestOffset)
}

export function clockOfKey(key: Key): number {
  return readUint64(key, 0) as number
}

/** Whether these bytes from the network have the form of a key. */
export function isKey(bytes: Uint8Array): bytes is Key {
  if (bytes.length !== keyBytes || readUint64(bytes, 0) === undefined) return false
  return cidPrefix.every((byte, i) => bytes[8 + i] === byte)
}

/**
 * How many levels of the index end a node after this key: the number of zero bits at the end of its digest, divided by
 * 6. The bits depend only on the entry, so on every level the shape of the tree depends only on the set.
 */
export function rankOf(key: Key): number {
  let zeros = 0
  for (let i = key.length - 1; i >= digestOffset; i--) {
    const byte = key[i] as number
    if (byte === 0) {
      zeros += 8
      continue
    }
    zeros += 31 - Math.clz32(byte & -byte)
    break
  }
  return Math.min(Math.floor(zeros / boundaryBits), maxLevels)
}

/** Whether a node of this level (0 for leaves) ends after this key. */
export function isBoundary(key: Key, level: number): boolean {
  return rankOf(key) > level
}
