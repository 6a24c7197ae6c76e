import type { CID } from 'multiformats/cid'
import { identityBytes } from '../content/hash.ts'
import { strictLinks } from '../content/strict-links.ts'
import type { Clock } from '../clock.ts'
import { P2plError } from '../errors.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import { isLeaf } from '../toolbox/links.ts'
import { newBreather } from './breather.ts'

/** Maximum number of blocks in a DAG that receipts cover. */
export const maxBlocks = 262_144
/** Maximum number of links in all of them. A hostile block may be full of links to one other block. */
const maxLinks = 4 * maxBlocks

export interface DagLimits {
  readonly bytes: number
  readonly blocks: number
}

export interface DagOptions {
  readonly operation: string
  /** Blocks that are read at the same time. */
  readonly parallel: number
  readonly limits: DagLimits
  readonly clock: Clock
  readonly read: (cid: CID) => Promise<Uint8Array>
}

export interface Dag {
  /** Each block once, in the order of a walk from the root, which is the same for every peer. Identity CIDs are left out. */
  readonly cids: readonly CID[]
  readonly bytes: number
}

/**
 * Reads a whole DAG and lists its blocks. Throws `TOO_LARGE` beyond the limits, `INVALID_CONTENT` for a block that is not
 * of its codec, `UNSUPPORTED` for a codec whose links are unknown here.
 */
export async function readDag(root: CID, { operation, parallel, limits, clock, read }: DagOptions): Promise<Dag> {
  const breather = newBreather(clock)
  const links = new Map<string, readonly CID[]>()
  const open = [root]
  let [bytes, count] = [0, 0]
  const visit = async (): Promise<void> => {
    for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
      const key = dagKey(cid)
      if (links.has(key)) continue
      links.set(key, [])
      if (links.size > limits.blocks) throw tooLarge(operation, `${limits.blocks} blocks`)
      const block = await read(cid)
      await breather.before(block.byteLength)
      if (identityBytes(cid, operation) === undefined) bytes += block.byteLength
      if (bytes > limits.bytes) throw tooLarge(operation, `${limits.bytes} bytes`)
      const below = strictLinks(cid, block, operation)
      links.set(key, below)
      count += below.length
      if (count > maxLinks) throw tooLarge(operation, `${maxLinks} links`)
      for (const link of below) open.push(link)
    }
  }
  // In rounds, because a worker that finds nothing to do may get links from another one later.
  while (open.length > 0) await Promise.all(Array.from({ length: Math.min(parallel, open.length) }, visit))
  return { cids: inOrder(root, links, operation), bytes }
}

function inOrder(root: CID, links: ReadonlyMap<string, readonly CID[]>, operation: string): CID[] {
  const cids: CID[] = []
  const seen = new Set<string>()
  const open = [root]
  for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
    const key = dagKey(cid)
    if (seen.has(key)) continue
    seen.add(key)
    if (identityBytes(cid, operation) === undefined) cids.push(cid)
    for (const link of (links.get(key) ?? []).toReversed()) open.push(link)
  }
  return cids
}

/** Equal for CIDs that name the same bytes and decode them in the same way. */
function dagKey(cid: CID): string {
  return `${isLeaf(cid.code) ? '' : cid.code}/${bytesKey(cid.multihash.bytes)}`
}

function tooLarge(operation: string, most: string): P2plError {
  return new P2plError({
    code: 'TOO_LARGE',
    operation,
    message: `the content has more than ${most}: receipts are for content up to that; split it into several roots`
  })
}
