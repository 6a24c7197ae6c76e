import { bytesKey } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'

/**
 * The place of an entry in canonical order: clock and hash, one character per byte. Such texts compare like their
 * bytes, and serve as keys of maps and of the store.
 */
export type Key = string

const clockBytes = 8
const dagCbor = 0x71
const sha256 = 0x12

export function keyOf({ clock, cid }: { readonly clock: number; readonly cid: CID }): Key {
  return firstOfClock(clock) + textOf(cid.multihash.digest)
}

export function cidOfKey(key: Key): CID {
  return CID.createV1(dagCbor, digest.create(sha256, bytesOf(key.slice(clockBytes))))
}

export function clockOfKey(key: Key): number {
  return Number(viewOf(bytesOf(key.slice(0, clockBytes))).getBigUint64(0))
}

/** The first possible key of a clock. */
export function firstOfClock(clock: number): Key {
  const bytes = new Uint8Array(clockBytes)
  viewOf(bytes).setBigUint64(0, BigInt(clock))
  return textOf(bytes)
}

export const textOf: (bytes: Uint8Array) => string = bytesKey

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  writeText(bytes, text, 0)
  return bytes
}

export function writeText(bytes: Uint8Array, text: string, at: number): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}

/** A view for reading numbers from the bytes. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
