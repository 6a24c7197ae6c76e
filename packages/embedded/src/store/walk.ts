import { bytesKey, linksOf, P2plError } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** How many blocks a walk requests at a time. */
const parallel = 64

/** The CIDs that a block of a pinned DAG links to. */
export function linksOfPinned(cid: CID, bytes: Uint8Array): CID[] {
  let links: CID[] | undefined
  try {
    links = linksOf(cid, bytes)
  } catch (cause) {
    const message = `the block ${cid.toString()} is not of the codec that its CID names`
    throw new P2plError({ code: 'INVALID_CONTENT', operation: 'blocks.pin', cause, message })
  }
  if (links !== undefined) return links
  throw new P2plError({
    code: 'UNSUPPORTED',
    operation: 'blocks.pin',
    message: `blocks.pin cannot follow the links of codec 0x${cid.code.toString(16)} of ${cid.toString()}: pin it with recursive: false`
  })
}

/** Visits every block below the root once, several at a time. `visit` returns the links of a block. */
export async function walk(
  root: CID,
  visit: (cid: CID) => Promise<readonly CID[]>,
  signal: AbortSignal
): Promise<void> {
  const seen = new Set<string>()
  const todo: CID[] = [root]
  const running = new Set<Promise<void>>()
  const thrown: unknown[] = []
  while ((todo.length > 0 || running.size > 0) && thrown.length === 0 && !signal.aborted) {
    const cid = running.size < parallel ? todo.pop() : undefined
    if (cid === undefined) {
      await Promise.race(running)
      continue
    }
    // The same multihash may be read with two codecs, and have links in only one of them.
    const key = `${cid.code}/${bytesKey(cid.multihash.bytes)}`
    if (seen.has(key)) continue
    seen.add(key)
    const task: Promise<void> = visit(cid)
      // One by one, because a block may have more links than a call can take arguments.
      .then((links) => links.forEach((link) => void todo.push(link)))
      .catch((error: unknown) => void thrown.push(error))
      .finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
  if (thrown.length > 0) throw thrown[0]
  signal.throwIfAborted()
}
