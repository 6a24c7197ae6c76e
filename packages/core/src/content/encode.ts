import { encode } from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'

/** A link of an inner node. */
export interface FileLink {
  readonly cid: CID
  /** Bytes of content below it. */
  readonly contentBytes: number
  /** Bytes of all blocks below it, including its own. */
  readonly blockBytes: number
}

/**
 * The bytes of a file's inner node. The UnixFS part is encoded here: ipfs-unixfs 13 (through protons-runtime 7.1)
 * writes sizes from 2^31 to 2^32 - 1 as garbage, which no implementation can read.
 */
export function encodeInnerNode(links: readonly FileLink[]): Uint8Array {
  // The order of names does not matter, since all are empty: links keep the order of the content.
  return encode({
    Data: encodeFile(links.map((link) => link.contentBytes)),
    Links: links.map((link) => ({ Hash: link.cid, Name: '', Tsize: link.blockBytes }))
  })
}

const tags = { type: 0x08, fileSize: 0x18, blockSizes: 0x20 } as const
const typeFile = 2

function encodeFile(blockSizes: readonly number[]): Uint8Array {
  const bytes: number[] = [tags.type, typeFile, tags.fileSize]
  pushVarint(
    bytes,
    blockSizes.reduce((sum, size) => sum + size, 0)
  )
  for (const size of blockSizes) {
    bytes.push(tags.blockSizes)
    pushVarint(bytes, size)
  }
  return Uint8Array.from(bytes)
}

/** Encodes any safe integer. Bit operations would be limited to 32 bits. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}
