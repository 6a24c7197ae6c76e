// Two-byte keys that begin with a zero belong to the store itself.
export const formatKey: Uint8Array = Uint8Array.of(0, 0)
export const sequenceKey: Uint8Array = Uint8Array.of(0, 1)

/** Whether the key is one of the store's own keys. Their values have no checksum. */
export function isOwnKey(key: Uint8Array): boolean {
  return key.length === 2 && key[0] === 0
}

/**
 * The last operation of each write stores the number of that write. The number in the database tells whether the last
 * acknowledged write is still there, and whether a failed write was stored nevertheless.
 */
export function markerOf(sequence: number): { type: 'put'; key: Uint8Array; value: Uint8Array } {
  const value = new Uint8Array(8)
  new DataView(value.buffer).setBigUint64(0, BigInt(sequence))
  return { type: 'put', key: sequenceKey, value }
}

export function sequenceOf(value: Uint8Array | undefined): number {
  if (value?.byteLength !== 8) return 0
  return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0))
}

/** The bytes of the marker as LevelDB writes them at the end of a record. */
export function markerRecord(sequence: number): Uint8Array {
  const { key, value } = markerOf(sequence)
  return Uint8Array.of(1, key.length, ...key, value.length, ...value)
}
