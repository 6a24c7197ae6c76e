import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { textOf } from '../bytes.ts'
import { failure } from '../errors.ts'

const raw = 0x55
const json = 0x0200
const identity = 0x00
/** How many blocks a walk asks for at a time. */
const parallel = 64

/** The CIDs that a block names. */
export function linksOf(operation: string, cid: CID, bytes: Uint8Array): CID[] {
  try {
    if (cid.code === raw || cid.code === json) return []
    if (cid.code === dagPb.code) return dagPb.decode(bytes).Links.map(({ Hash }) => Hash)
    if (cid.code === dagCbor.code) return linksIn(dagCbor.decode(bytes))
  } catch (cause) {
    throw failure({
      code: 'INVALID_CONTENT',
      operation,
      cause,
      message: `the block ${cid.toString()} is not of the codec that its CID names`
    })
  }
  throw failure({
    code: 'UNSUPPORTED',
    operation,
    message: `${operation} follows the links of dag-pb, dag-cbor, raw and json, not of codec 0x${cid.code.toString(16)} of ${cid.toString()}: pin it with recursive: false`
  })
}

function linksIn(root: unknown): CID[] {
  const links: CID[] = []
  // A list instead of recursion: how deep it nests is up to whoever made the block.
  const todo: unknown[] = [root]
  while (todo.length > 0) {
    const value = todo.pop()
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) continue
    const cid = CID.asCID(value)
    if (cid === null) todo.push(...(Object.values(value) as unknown[]))
    else links.push(cid)
  }
  return links
}

/** Visits every block below the root once, several at a time; identity CIDs are followed but not visited. */
export async function walk(root: CID, load: (cid: CID) => Promise<Uint8Array>): Promise<void> {
  const seen = new Set<string>()
  const todo: CID[] = [root]
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const visit = async (cid: CID): Promise<void> => {
    const bytes = cid.multihash.code === identity ? cid.multihash.digest : await load(cid)
    todo.push(...linksOf('blocks.pin', cid, bytes))
  }
  while ((todo.length > 0 || running.size > 0) && failures.length === 0) {
    const cid = running.size < parallel ? todo.pop() : undefined
    if (cid === undefined) {
      await Promise.race(running)
      continue
    }
    // One multihash may be read with two codecs, and have links in one of them only.
    const key = `${cid.code}/${textOf(cid.multihash.bytes)}`
    if (seen.has(key)) continue
    seen.add(key)
    const task: Promise<void> = visit(cid)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
}
