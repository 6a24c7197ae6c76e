// Keys that begin with a zero and have two bytes belong to the store itself.
export const formatKey: Uint8Array = Uint8Array.of(0, 0)
export const sequenceKey: Uint8Array = Uint8Array.of(0, 1)

/** Whether the key is the store's own; its value has no checksum. */
export function isOwnKey(key: Uint8Array): boolean {
  return key.length === 2 && key[0] === 0
}

/**
 * The last operation of each write gives it a number. What the database holds under it tells whether the last write that was
 * acknowledged is still there, and whether one that failed is there all the same.
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

/** How LevelDB writes the marker at the end of a record. */
export function markerRecord(sequence: number): Uint8Array {
  const { key, value } = markerOf(sequence)
  return Uint8Array.of(1, key.length, ...key, value.length, ...value)
}
