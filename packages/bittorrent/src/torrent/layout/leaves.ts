import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { Pace } from '../../tools/pace.ts'
import { maxPieces, pieceLength } from '../metainfo/info.ts'

const maxDepth = 8
/** Inner nodes: with the usual number of links, far more than the largest torrent needs. */
const maxNodes = 8_192

/** A file whose leaves are the pieces of a torrent. */
export interface FileLeaves {
  readonly leaves: readonly CID[]
  /** Bytes, by what the nodes say. */
  readonly length: number
}

export type Load = (cid: CID) => Promise<Uint8Array | undefined>

/**
 * The leaves of a file in their order, from the blocks that `load` has. `undefined` when a node is not there, or when it is not a
 * file of raw leaves of 1 MiB: then its pieces would not be its leaves.
 */
export async function leavesOf(root: CID, load: Load): Promise<FileLeaves | undefined> {
  if (root.code === raw.code) {
    const bytes = await load(root)
    return bytes === undefined ? undefined : { leaves: [root], length: bytes.byteLength }
  }
  const leaves: CID[] = []
  let length = 0
  // A few nodes that name each other many times make a tree without end.
  let nodes = 0
  const pace = new Pace()
  const visit = async (cid: CID, depth: number): Promise<boolean> => {
    if (depth > maxDepth || cid.code !== dagPb.code || ++nodes > maxNodes) return false
    await pace.keep()
    const bytes = await load(cid)
    if (bytes === undefined) return false
    const node = dagPb.decode(bytes)
    const file = UnixFS.unmarshal(node.Data ?? new Uint8Array())
    if (file.type !== 'file' || file.data !== undefined || file.blockSizes.length !== node.Links.length) return false
    for (const [i, { Hash }] of node.Links.entries()) {
      if (Hash.code !== raw.code) {
        if (!(await visit(Hash, depth + 1))) return false
        continue
      }
      // A short one before the last shifts every piece behind it.
      if (length !== leaves.length * pieceLength || leaves.length >= maxPieces) return false
      leaves.push(Hash)
      length += Number(file.blockSizes[i])
    }
    return true
  }
  try {
    if (!(await visit(root, 0)) || leaves.length === 0) return undefined
  } catch {
    return undefined
  }
  return Math.ceil(length / pieceLength) === leaves.length ? { leaves, length } : undefined
}
