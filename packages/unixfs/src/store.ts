import { decode } from '@ipld/dag-pb'
import type { Peer } from '@p2pl/core'
import { P2plError } from '@p2pl/core'
import { UnixFS } from 'ipfs-unixfs'
import type { ReadableStorage } from 'ipfs-unixfs-exporter'
import type { CID } from 'multiformats/cid'
import type { ListOptions } from './types.ts'

const dagPb = 0x70
const maxNodeBytes = 4 * 1024 * 1024
const maxLinks = 65_536
/** Fan-outs that sharded directories have in practice; the exporter would build tables of any size. */
const fanouts: ReadonlySet<bigint> = new Set([8n, 16n, 32n, 64n, 128n, 256n, 512n, 1024n])
const kept = 8

/**
 * The verified blocks of a peer as the exporter wants them, with limits on what its parsers are given. With `listed`,
 * for the listing of that one directory.
 */
export function readableStorage(
  peer: Pick<Peer, 'blocks'>,
  options: ListOptions,
  operation: string,
  listed?: CID
): ReadableStorage {
  const shards = new Set<string>()
  // Resolving a name and reading what it leads to ask for the same block in a row.
  const recent = new Map<string, Uint8Array>()
  const get = async (cid: CID): Promise<Uint8Array> => {
    const key = cid.toString()
    const known = recent.get(key)
    if (known !== undefined) return known
    const bytes = await peer.blocks.get(cid, options)
    if (cid.code === dagPb) checkNode(cid, bytes, operation)
    recent.set(key, bytes)
    const [oldest] = recent.keys()
    if (recent.size > kept && oldest !== undefined) recent.delete(oldest)
    return bytes
  }
  // Parts of one sharded directory hold different names. A few that are linked over and over would be work without end.
  const checkRepeated = (cid: CID): void => {
    const key = cid.toString()
    if (shards.has(key)) {
      throw new P2plError({
        code: 'INVALID_CONTENT',
        operation,
        message: `the sharded directory ${String(listed)} has the part ${key} twice`
      })
    }
    shards.add(key)
  }
  return {
    async *get(cid) {
      if (listed !== undefined && !cid.equals(listed)) checkRepeated(cid)
      yield await get(cid)
    }
  }
}

function checkNode(cid: CID, bytes: Uint8Array, operation: string): void {
  const invalid = (what: string, cause?: unknown): P2plError =>
    new P2plError({ code: 'INVALID_CONTENT', operation, message: `${cid.toString()} ${what}`, cause })
  if (bytes.byteLength > maxNodeBytes) throw invalid(`has ${bytes.byteLength} bytes; at most ${maxNodeBytes} are read`)
  let links: number
  let unixfs: UnixFS | undefined
  try {
    const node = decode(bytes)
    links = node.Links.length
    unixfs = node.Data === undefined ? undefined : UnixFS.unmarshal(node.Data)
  } catch (cause) {
    throw invalid('is no valid UnixFS node', cause)
  }
  if (links > maxLinks) throw invalid(`has ${links} links; at most ${maxLinks} are read`)
  if (unixfs?.type === 'hamt-sharded-directory' && !fanouts.has(unixfs.fanout ?? 0n)) {
    throw invalid(
      `is a sharded directory with a fan-out of ${String(unixfs.fanout)}; powers of two from 8 to 1,024 are read`
    )
  }
}
