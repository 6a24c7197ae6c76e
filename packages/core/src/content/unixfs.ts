import { readLimits } from './layout.ts'
import { fieldsOf } from './protobuf.ts'

/** The types of UnixFS nodes. */
export const unixfsTypes: {
  readonly raw: 0
  readonly directory: 1
  readonly file: 2
  readonly symlink: 4
  readonly hamtShard: 5
} = { raw: 0, directory: 1, file: 2, symlink: 4, hamtShard: 5 }

/** The part of a dag-pb node that describes its content. */
export interface Unixfs {
  readonly type: number
  readonly data: Uint8Array
  /** Bytes of content below each link. */
  readonly blockSizes: readonly number[]
}

const fields = { type: 1, data: 2, blockSizes: 4, last: 8 } as const
/** The fields that hold bytes or messages; the others hold numbers. */
const delimited: ReadonlySet<number> = new Set([fields.data, fields.last])

/**
 * Throws `RangeError` if the bytes are not UnixFS. This does not use ipfs-unixfs, whose 37 modules would double the time to
 * load core. A number above 2^53 is inexact, and the sum that includes it shows that.
 */
export function decodeUnixfs(bytes: Uint8Array): Unixfs {
  let type: number = unixfsTypes.file
  let data: Uint8Array = new Uint8Array(0)
  const blockSizes: number[] = []
  let count = 0
  for (const { number, wireType, value, start, end } of fieldsOf(bytes)) {
    if (number <= fields.last && wireType !== (delimited.has(number) ? 2 : 0)) {
      throw new RangeError(`a field ${number} of wire type ${wireType}`)
    }
    if (++count > readLimits.links + fields.last) throw new RangeError(`more than ${readLimits.links} sizes of links`)
    if (number === fields.type) type = value
    else if (number === fields.data) data = bytes.subarray(start, end)
    else if (number === fields.blockSizes) blockSizes.push(value)
  }
  return { type, data, blockSizes }
}
