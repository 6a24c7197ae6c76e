import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { textOf } from '../bytes.ts'
import type { Failures } from '../failures.ts'

const raw = 0x55
const json = 0x0200
const identity = 0x00
/** How many blocks a walk asks for at a time. */
const parallel = 64

/** The CIDs that a block names. */
export function linksOf({ failure }: Failures, operation: string, cid: CID, bytes: Uint8Array): CID[] {
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
    if (cid !== null) links.push(cid)
    // One by one: a block of two million numbers is more than a call takes as arguments.
    else for (const part of Object.values(value) as unknown[]) todo.push(part)
  }
  return links
}

/** One multihash may be read with two codecs, and have links in one of them only. */
function nodeKey(cid: CID): string {
  return `${cid.code}/${textOf(cid.multihash.bytes)}`
}

/** Visits every block below the root once, several at a time; identity CIDs are followed but not visited. */
export async function walk(failures: Failures, root: CID, load: (cid: CID) => Promise<Uint8Array>): Promise<void> {
  const seen = new Set<string>()
  const todo: CID[] = [root]
  const running = new Set<Promise<void>>()
  const thrown: unknown[] = []
  const visit = async (cid: CID): Promise<void> => {
    const bytes = cid.multihash.code === identity ? cid.multihash.digest : await load(cid)
    for (const link of linksOf(failures, 'blocks.pin', cid, bytes)) todo.push(link)
  }
  while ((todo.length > 0 || running.size > 0) && thrown.length === 0) {
    const cid = running.size < parallel ? todo.pop() : undefined
    if (cid === undefined) {
      await Promise.race(running)
      continue
    }
    const key = nodeKey(cid)
    if (seen.has(key)) continue
    seen.add(key)
    const task: Promise<void> = visit(cid)
      .catch((error: unknown) => void thrown.push(error))
      .finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
  if (thrown.length > 0) throw thrown[0]
}

/** Depth first in the order of the links: parents come before children, and each block once. */
export async function* walkDag(
  failures: Failures,
  operation: string,
  root: CID,
  load: (cid: CID) => Promise<Uint8Array>
): AsyncGenerator<Block, void, undefined> {
  const seen = new Set<string>()
  const waiting = [root]
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    const key = nodeKey(cid)
    if (seen.has(key)) continue
    seen.add(key)
    const inline = cid.multihash.code === identity ? cid.multihash.digest : undefined
    const bytes = inline ?? (await load(cid))
    if (inline === undefined) yield { cid, bytes }
    for (const link of linksOf(failures, operation, cid, bytes).reverse()) waiting.push(link)
  }
}
