import type { Peer } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { LedgerState } from '../state/ledger-state.ts'

/** The number of copies that are checked as a sample. */
const samples = 8
const forgottenTogether = 256

/**
 * The content of a backend may be gone since the last run, because it kept nothing or its store was removed. Then all
 * copies are looked for again.
 */
export async function findLostCopies(
  state: Pick<LedgerState, 'kept' | 'lost'>,
  { data, capabilities }: Pick<Peer, 'data' | 'capabilities'>
): Promise<void> {
  if (capabilities.blocks?.persistence !== 'none' && (await areThere(state, data))) return
  for (;;) {
    const lost: CID[] = []
    for await (const cid of state.kept()) if (lost.push(cid) === forgottenTogether) break
    if (lost.length === 0) return
    await state.lost(lost)
  }
}

async function areThere(state: Pick<LedgerState, 'kept'>, data: Peer['data']): Promise<boolean> {
  let looked = 0
  for await (const cid of state.kept()) {
    if (!(await data.has(cid))) return false
    if (++looked === samples) break
  }
  return true
}
