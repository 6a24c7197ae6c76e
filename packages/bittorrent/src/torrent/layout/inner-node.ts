import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'

// A copy of core's encoder, to be deleted when `@p2pl/core/content` exports it: ipfs-unixfs 13 writes sizes from 2^31 to
// 2^32 - 1 as garbage.

/** A part of a file: a leaf, or all that is below a node. */
export interface Part {
  readonly cid: CID
  /** Bytes of content. */
  readonly size: number
  /** Bytes of all blocks. */
  readonly total: number
}

const tags = { type: 0x08, fileSize: 0x18, blockSizes: 0x20 } as const
const typeFile = 2

/** The bytes of a node over parts of a file. */
export function encodeInnerNode(parts: readonly Part[]): Uint8Array {
  const data: number[] = [tags.type, typeFile, tags.fileSize]
  pushVarint(
    data,
    parts.reduce((sum, { size }) => sum + size, 0)
  )
  for (const { size } of parts) {
    data.push(tags.blockSizes)
    pushVarint(data, size)
  }
  return dagPb.encode({
    Data: Uint8Array.from(data),
    Links: parts.map(({ cid, total }) => ({ Name: '', Hash: cid, Tsize: total }))
  })
}

/** Any safe integer: bit operations would end at 32 bits. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}
