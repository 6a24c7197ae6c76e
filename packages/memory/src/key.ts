import { bytesKey } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** Blocks are found by their multihash. */
export function blockKey(cid: CID): string {
  return bytesKey(cid.multihash.bytes)
}

/**
 * Identifies a node of a DAG. A block read as raw has no links, but the same block read as dag-pb may have some, so one
 * multihash may be two nodes.
 */
export function nodeKey(cid: CID): string {
  return `${cid.code}/${blockKey(cid)}`
}
