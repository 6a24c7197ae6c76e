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
  // A part of a larger buffer would keep it in memory, and IndexedDB would store all of it.
  encode: (_key, value) => own(value),
  decode: (_key, stored) => own(stored),
  strip: own,
  inFile: () => false,
  overhead: 0
}

/** LevelDB does not verify what it reads from its tables, so the store does. Without CRC-32 in the runtime, values are plain. */
export const checkedRecords: Records = crc32 === undefined ? plainRecords : checkedBy(crc32)

function checkedBy(checksum: (data: Uint8Array, before?: number) => number): Records {
  return {
    // A third of what it took with a buffer, a DataView and two checksums for each record, 0.35 µs for 300 bytes: key and value stand
    // side by side and are checked in one call, in memory that many records share.
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

/** Memory that nobody else uses, and that is gone when the last record in it is: LevelDB copies what it is given. */
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
