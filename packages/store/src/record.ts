import { crc32 } from './node.ts'
import type { Bytes } from './types.ts'

const checksumBytes = 4

/** How values are stored: as they are, or with a checksum over key and value behind them. */
export interface Records {
  encode(key: Uint8Array, value: Uint8Array): Uint8Array
  /** `undefined`: this is not what was stored under this key. */
  decode(key: Uint8Array, stored: Uint8Array): Bytes | undefined
}

export const plainRecords: Records = {
  encode: (_key, value) => value,
  decode: (_key, stored) => own(stored)
}

/** LevelDB does not verify what it reads from its tables, so the store does. Without CRC-32 in the runtime, values are plain. */
export const checkedRecords: Records = crc32 === undefined ? plainRecords : checkedBy(crc32)

function checkedBy(checksum: (data: Uint8Array, before?: number) => number): Records {
  return {
    encode: (key, value) => {
      const record = new Uint8Array(value.length + checksumBytes)
      record.set(value)
      new DataView(record.buffer).setUint32(value.length, checksum(value, checksum(key)))
      return record
    },
    decode: (key, stored) => {
      const length = stored.length - checksumBytes
      if (length < 0) return undefined
      const value = stored.subarray(0, length)
      const found = new DataView(stored.buffer, stored.byteOffset, stored.byteLength).getUint32(length)
      return found === checksum(value, checksum(key)) ? own(value) : undefined
    }
  }
}

/**
 * The bytes as a plain Uint8Array: modules of Node give Buffers, which behave differently. A small part of a large buffer is
 * copied, so that it does not keep the rest alive.
 */
export function own(bytes: Uint8Array): Bytes {
  if (bytes.byteLength * 2 < bytes.buffer.byteLength) return new Uint8Array(bytes)
  if (bytes.constructor === Uint8Array) return bytes as Bytes
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}
