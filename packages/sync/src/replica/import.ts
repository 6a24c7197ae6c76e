import { describe, isBytes } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Bytes } from '../bytes.ts'
import { compareBytes, equalBytes, mapKey } from '../bytes.ts'
import { digestOf, hash } from '../cid.ts'
import { decodeEntries, decodeEntry, widestBounds } from '../entry/codec.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { invalid } from '../errors.ts'
import type { Candidate } from '../intake/admission.ts'
import type { Outcome } from '../intake/intake.ts'
import { decodeNode, isLeaf } from '../tree/node.ts'
import { Carried } from '../walks/carried.ts'
import { createImportBudget } from './budgets.ts'
import type { Replica } from './replica.ts'

export interface Imported {
  added: number
  known: number
  refused: number
}

const batchSize = 256
/** Memory that a waiting entry takes in addition to its bytes. */
const overhead = 1024

/**
 * Takes blocks of entries and leaves of an index, in any order. Inner nodes are skipped, because the leaves have all
 * entries. An entry is refused if it is wrong or if its parents are still missing at the end. It is also refused if it
 * would wait for parents beyond a bound per author or in total: then another import takes it once its parents are here.
 */
export async function importBlocks(
  replica: Replica,
  blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
  checkSignal: () => void
): Promise<Imported> {
  const result: Imported = { added: 0, known: 0, refused: 0 }
  const waiting: Candidate[] = []
  const room = createImportBudget()
  let batch: EntryRecord[] = []
  const flush = async (): Promise<void> => {
    checkSignal()
    const candidates = await check(replica, batch)
    const outcomes = await take(replica, candidates, result)
    for (const [i, candidate] of candidates.entries()) {
      if (outcomes[i] !== 'pending' && outcomes[i] !== 'unproven') continue
      const { author, bytes } = candidate.entry
      if (room.take(mapKey(author), bytes.length + overhead) === undefined) result.refused++
      else waiting.push(candidate)
    }
    batch = []
  }
  for await (const block of blocks) {
    const { cid, bytes } = (block ?? {}) as Partial<typeof block>
    if (cid === undefined || !isBytes(bytes)) {
      throw invalid('import', `a block is { cid, bytes } with bytes as a Uint8Array, not ${describe(block)}`)
    }
    for (const entry of await entriesOf(cid, new Uint8Array(bytes), result)) {
      if (batch.push(entry) === batchSize) await flush()
    }
    checkSignal()
  }
  await flush()
  // Entries that came before their parents, or before the entry that proves them, go in now, in canonical order. Each
  // round takes all that it can.
  let rest: readonly Candidate[] = waiting.sort((a, b) => compareBytes(a.entry.key, b.entry.key))
  for (let before = Infinity; rest.length > 0 && rest.length < before;) {
    before = rest.length
    const again: Candidate[] = []
    const carried = new Carried()
    for (let i = 0; i < rest.length; i += batchSize) {
      checkSignal()
      const all = carried.before(rest.slice(i, i + batchSize))
      const outcomes = await take(replica, all, result)
      again.push(...all.filter((_, k) => outcomes[k] === 'pending'), ...carried.keep(all, outcomes))
    }
    rest = [...again, ...carried.end()]
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
    // The block is not an entry; it may be a node.
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

async function check({ retrieval, healer, id }: Replica, batch: EntryRecord[]): Promise<Candidate[]> {
  // An entry that is damaged here counts as known. These bytes repair it.
  if (healer.keys.length > 0) for (const { key, bytes } of batch) await healer.offer(key, bytes)
  return await retrieval.checks.many(
    batch.sort((a, b) => compareBytes(a.key, b.key)),
    id
  )
}

/** Takes all entries that can be taken, and counts those that need no second look. */
async function take({ retrieval, id }: Replica, all: readonly Candidate[], result: Imported): Promise<Outcome[]> {
  const outcomes = await retrieval.intake.take(all, id)
  for (const outcome of outcomes) if (outcome !== 'pending' && outcome !== 'unproven') result[outcome]++
  return outcomes
}
