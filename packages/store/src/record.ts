import { compactBytes } from '@p2pl/core/backend'
import { crc32 } from './node.ts'
import type { Bytes } from './types.ts'

/** A checksum of 4 bytes, and a byte that says whether the record is the value or stands for a file with the value. */
const tailBytes = 5
type Kind = 0 | 1

/** How values are stored. */
export interface Records {
  /** `inFile`: the record stands for a file that holds the value. */
  encode(key: Uint8Array, value: Uint8Array, inFile?: boolean): Uint8Array
  /** Returns `undefined` when these bytes are not what was stored under this key. */
  decode(key: Uint8Array, stored: Uint8Array): Bytes | undefined
  /** The value, whether or not it is intact. */
  strip(stored: Uint8Array): Bytes
  inFile(stored: Uint8Array): boolean
  /** The bytes of a record in addition to its value. */
  readonly overhead: number
}

export const plainRecords: Records = {
  // A slice of a larger buffer would keep all of it in memory, and IndexedDB would store all of it.
  encode: (_key, value) => own(value),
  decode: (_key, stored) => own(stored),
  strip: own,
  inFile: () => false,
  overhead: 0
}

/**
 * LevelDB does not verify what it reads from its tables, so the store does. If the runtime has no CRC-32, values are
 * stored without a checksum.
 */
export const checkedRecords: Records = crc32 === undefined ? plainRecords : checkedBy(crc32)

function checkedBy(checksum: (data: Uint8Array, before?: number) => number): Records {
  return {
    // Key and value are next to each other and checked in one call, in memory that many records share. This takes 0.35
    // µs for 300 bytes, a third of the time with a buffer, a DataView and two checksums per record.
    encode: (key, value, inFile = false) => {
      const end = key.length + value.length
      const bytes = take(end + tailBytes)
      const kind: Kind = inFile ? 1 : 0
      bytes.set(key)
      bytes.set(value, key.length)
      const sum = checksum(bytes.subarray(0, end), kind)
      for (let i = 0; i < 4; i++) bytes[end + i] = sum >>> (24 - 8 * i)
      bytes[end + 4] = kind
      return bytes.subarray(key.length)
    },
    decode: (key, stored) => {
      const length = stored.length - tailBytes
      if (length < 0) return undefined
      const value = stored.subarray(0, length)
      const sum = checksum(value, checksum(key, stored.at(-1)))
      for (let i = 0; i < 4; i++) if (stored[length + i] !== ((sum >>> (24 - 8 * i)) & 0xff)) return undefined
      return own(value)
    },
    strip: (stored) => own(stored.subarray(0, Math.max(0, stored.length - tailBytes))),
    inFile: (stored) => stored.at(-1) === 1,
    overhead: tailBytes
  }
}

const slabBytes = 65_536
let slab = new Uint8Array(slabBytes)
let taken = 0

/** Memory that nobody else uses. It is freed with the last record in it, because LevelDB copies its input. */
function take(length: number): Uint8Array {
  if (length > slabBytes / 8) return new Uint8Array(length)
  if (taken + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    taken = 0
  }
  return slab.subarray(taken, (taken += length))
}

export function own(bytes: Uint8Array): Bytes {
  return compactBytes(bytes) as Bytes
}
