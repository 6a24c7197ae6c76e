import { compactBytes } from '@p2pl/core/backend'

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Returns `undefined` for anything except an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? compactBytes(Buffer.from(text, 'hex')) : undefined
}

export function fromText(text: string): Uint8Array {
  return compactBytes(Buffer.from(text, 'latin1'))
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value)
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(at)
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}

/** Splits bytes into parts of equal length. Throws if there is a remainder. */
export function* fixedParts(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  if (bytes.byteLength % length !== 0) throw new RangeError('a list is cut off')
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length)
}
