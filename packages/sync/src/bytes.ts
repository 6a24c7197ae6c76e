export { bytesKey as mapKey, compareBytes, concatBytes, equalBytes } from '@p2pl/core/backend'

export type Bytes = Uint8Array<ArrayBuffer>

/** Writes a safe integer as 8 bytes, big-endian. */
export function writeUint64(target: Uint8Array, value: number, offset: number): void {
  // Byte by byte: creating a DataView for each number takes several times as long.
  let rest = value
  for (let at = offset + 7; at >= offset; at--) {
    target[at] = rest & 0xff
    rest = Math.floor(rest / 256)
  }
}

/** Reads 8 bytes, big-endian; `undefined` for values beyond the safe integers. */
export function readUint64(source: Uint8Array, offset: number): number | undefined {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  const value = view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4)
  return Number.isSafeInteger(value) ? value : undefined
}
