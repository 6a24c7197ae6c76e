import { compactBytes } from '@p2pl/core/backend'
import { crc32 } from './node.ts'
import type { Bytes } from './types.ts'

/** A checksum of 4 bytes, and whether the record is the value, or stands for a file that holds it. */
const tailBytes = 5
type Kind = 0 | 1

/** How values are stored. */
export interface Records {
  /** `inFile`: the record stands for a file. */
  encode(key: Uint8Array, value: Uint8Array, inFile?: boolean): Uint8Array
  /** `undefined`: this is not what was stored under this key. */
  decode(key: Uint8Array, stored: Uint8Array): Bytes | undefined
  /** The value, whether or not it is what was stored. */
  strip(stored: Uint8Array): Bytes
  inFile(stored: Uint8Array): boolean
  /** Bytes of a record besides its value. */
  readonly overhead: number
}

export const plainRecords: Records = {
  encode: (_key, value) => value,
  decode: (_key, stored) => own(stored),
  strip: own,
  inFile: () => false,
  overhead: 0
}

/** LevelDB does not verify what it reads from its tables, so the store does. Without CRC-32 in the runtime, values are plain. */
export const checkedRecords: Records = crc32 === undefined ? plainRecords : checkedBy(crc32)

function checkedBy(checksum: (data: Uint8Array, before?: number) => number): Records {
  return {
    encode: (key, value, inFile = false) => {
      const record = new Uint8Array(value.length + tailBytes)
      const kind: Kind = inFile ? 1 : 0
      record.set(value)
      record[value.length + 4] = kind
      new DataView(record.buffer).setUint32(value.length, checksum(value, checksum(key, kind)))
      return record
    },
    decode: (key, stored) => {
      const length = stored.length - tailBytes
      if (length < 0) return undefined
      const value = stored.subarray(0, length)
      const found = new DataView(stored.buffer, stored.byteOffset, stored.byteLength).getUint32(length)
      return found === checksum(value, checksum(key, stored.at(-1))) ? own(value) : undefined
    },
    strip: (stored) => own(stored.subarray(0, Math.max(0, stored.length - tailBytes))),
    inFile: (stored) => stored.at(-1) === 1,
    overhead: tailBytes
  }
}

export function own(bytes: Uint8Array): Bytes {
  return compactBytes(bytes) as Bytes
}
