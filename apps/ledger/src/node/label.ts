import type { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import type { DocumentRecord } from '../rules/payload.ts'
import type { LedgerState } from '../state/ledger-state.ts'

/**
 * The record that labels a content. A label belongs to its entry. If no entry is given, this account's own record
 * counts, otherwise a label that all records agree on. If the first record counted, a stranger could relabel a document
 * with an entry that comes first in order.
 */
export async function labelOf(
  state: Pick<LedgerState, 'get' | 'byContent'>,
  account: string,
  content: CID,
  entry: CID | undefined
): Promise<DocumentRecord | undefined> {
  const found = entry === undefined ? await state.byContent(content, account) : await state.get(entry)
  if (found?.payload.type === 'record' && found.payload.cid.equals(content)) return found.payload
  if (entry === undefined) return undefined
  throw new LedgerError('NOT_FOUND', `the entry ${entry.toString()} is no record of ${content.toString()}`)
}
