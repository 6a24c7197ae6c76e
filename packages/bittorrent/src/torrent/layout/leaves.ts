import { codecs, decodeNode, profile } from '@p2pl/core/content'
import type { CID } from 'multiformats/cid'
import { Pace } from '../../tools/pace.ts'
import { maxPieces } from '../metainfo/info.ts'

const maxDepth = 8
/** The most inner nodes: with the usual number of links, far more than the largest torrent needs. */
const maxNodes = 8_192
const operation = 'torrents'

/** A file whose leaves are the pieces of a torrent. */
export interface FileLeaves {
  readonly leaves: readonly CID[]
  /** The length in bytes according to the nodes. */
  readonly length: number
}

export type Load = (cid: CID) => Promise<Uint8Array | undefined>

/**
 * The leaves of a file in order, from the blocks that `load` has. Returns `undefined` when a node is missing, or when
 * it is not a file of raw leaves of 1 MiB: then its pieces would not be its leaves.
 */
export async function leavesOf(root: CID, load: Load): Promise<FileLeaves | undefined> {
  if (root.code === codecs.raw) {
    const bytes = await load(root)
    return bytes === undefined ? undefined : { leaves: [root], length: bytes.byteLength }
  }
  const leaves: CID[] = []
  let length = 0
  // A few nodes that link to each other many times make an endless tree.
  let nodes = 0
  const pace = new Pace()
  const visit = async (cid: CID, depth: number): Promise<boolean> => {
    if (depth > maxDepth || ++nodes > maxNodes) return false
    await pace.keep()
    const bytes = await load(cid)
    const node = bytes === undefined ? undefined : decodeNode(cid, bytes, operation)
    if (node?.kind !== 'file' || node.data.byteLength > 0) return false
    for (const child of node.children) {
      if (child.cid.code !== codecs.raw) {
        if (!(await visit(child.cid, depth + 1))) return false
        continue
      }
      // A short leaf before the last one shifts every piece after it.
      if (length !== leaves.length * profile.chunkBytes || leaves.length >= maxPieces) return false
      leaves.push(child.cid)
      length += child.size
    }
    return true
  }
  try {
    if (!(await visit(root, 0)) || leaves.length === 0) return undefined
  } catch {
    return undefined
  }
  return Math.ceil(length / profile.chunkBytes) === leaves.length ? { leaves, length } : undefined
}
