import type { Peer } from '@p2pl/core'
import { BoundedMap } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { type Node, decodeNode } from './unixfs-node.ts'
import type { ListOptions } from './types.ts'

const kept = 8

/** The options of calls that list directories. */
export const listKeys: readonly string[] = ['signal', 'timeout', 'context', 'local', 'providers']

/** Reads nodes of UnixFS through a peer, which verifies each block. */
export type NodeReader = (cid: CID) => Promise<Node>

/** Resolving a name and then reading its target request the same block in a row, so a few blocks are cached. */
export function nodeReader(peer: Pick<Peer, 'blocks'>, options: ListOptions, operation: string): NodeReader {
  const recent = new BoundedMap<string, Node>(kept)
  // Calls that read a file have more options.
  const { signal, timeout, context, local, providers } = options
  return async (cid) => {
    const key = cid.toString()
    const known = recent.get(key)
    if (known !== undefined) return known
    const node = decodeNode(cid, await peer.blocks.get(cid, { signal, timeout, context, local, providers }), operation)
    recent.set(key, node)
    return node
  }
}
