import { bytesKey } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** Blocks are found by their multihash. */
export function blockKey(cid: CID): string {
  return bytesKey(cid.multihash.bytes)
}

/** Nodes of a DAG: the raw view of a block has no links where its dag-pb view has, so one multihash may be two nodes. */
export function nodeKey(cid: CID): string {
  return `${cid.code}/${blockKey(cid)}`
}
