import type { CID } from 'multiformats/cid'
import type { Bytes } from '../bytes.ts'
import { equalBytes } from '../bytes.ts'
import { digestOf, hash } from '../cid.ts'
import { decodeEntries, decodeEntry, widestBounds } from '../entry/codec.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { decodeNode, isLeaf } from '../tree/node.ts'
import type { Replica } from './replica.ts'

export interface Imported {
  added: number
  known: number
  refused: number
}

const batchSize = 256

/**
 * Takes entries from blocks: blocks of entries and leaves of an index, in any order. Inner nodes are skipped, since leaves hold all there is.
 * What lacks its parents at the end, or is wrong in any way, is refused.
 */
export async function importBlocks(
  replica: Replica,
  blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
  check: () => void
): Promise<Imported> {
  const result: Imported = { added: 0, known: 0, refused: 0 }
  const waiting: EntryRecord[] = []
  let batch: EntryRecord[] = []
  const flush = async (): Promise<void> => {
    check()
    waiting.push(...(await take(replica, batch, result)))
    batch = []
  }
  for await (const { cid, bytes } of blocks) {
    for (const entry of await entriesOf(cid, new Uint8Array(bytes), result)) {
      if (batch.push(entry) === batchSize) await flush()
    }
    check()
  }
  await flush()
  // What came before its parents goes in now, in the order of clocks; each round takes all whose parents are here.
  let rest = waiting.sort((a, b) => a.clock - b.clock)
  for (let before = Infinity; rest.length > 0 && rest.length < before;) {
    before = rest.length
    const again: EntryRecord[] = []
    for (let i = 0; i < rest.length; i += batchSize) {
      check()
      again.push(...(await take(replica, rest.slice(i, i + batchSize), result)))
    }
    rest = again
  }
  result.refused += rest.length
  await replica.committer.flushed()
  return result
}

async function entriesOf(cid: CID, bytes: Bytes, result: Imported): Promise<EntryRecord[]> {
  const digest = digestOf(cid)
  if (digest === undefined || !equalBytes(await hash(bytes), digest)) {
    result.refused++
    return []
  }
  try {
    return [await decodeEntry(bytes, widestBounds)]
  } catch {
    // Not an entry; perhaps a node.
  }
  try {
    const node = decodeNode(bytes)
    if (!isLeaf(node)) return []
    const copies = node.entries.map((entry) => entry.slice())
    return await decodeEntries(copies, widestBounds)
  } catch {
    result.refused++
    return []
  }
}

/** Takes what can be taken and gives back what lacks a parent. */
async function take(replica: Replica, batch: readonly EntryRecord[], result: Imported): Promise<EntryRecord[]> {
  const { retrieval, healer, id } = replica
  // An entry that is damaged here counts as known; its bytes mend it.
  if (healer.keys.length > 0) for (const { key, bytes } of batch) await healer.offer(key, bytes)
  const outcomes = await retrieval.intake.takeMany(batch, await retrieval.checks.many(batch, id), id)
  const again: EntryRecord[] = []
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome === 'pending') again.push(batch[i] as EntryRecord)
    else result[outcome]++
  }
  return again
}
