import { confirmations } from '../rules/approvals.ts'
import type { GenesisBlock } from '../rules/genesis.ts'
import type { LedgerEntry, LedgerState } from '../rules/state.ts'
import type { BalanceView, EntryView, GenesisView } from './views.ts'

/** An entry as JSON. */
export function describeEntry(entry: LedgerEntry): EntryView {
  const { payload, outcome } = entry
  const common = {
    cid: entry.cid.toString(),
    clock: entry.clock,
    author: entry.author,
    parents: entry.parents.map((parent) => parent.cid.toString()),
    sequence: payload.sequence,
    ...(payload.reference === undefined ? {} : { reference: payload.reference }),
    ...(outcome.accepted
      ? { status: 'accepted' as const }
      : {
          status: 'rejected' as const,
          reason: outcome.reason,
          ...(outcome.conflict === undefined ? {} : { conflict: outcome.conflict.cid.toString() })
        }),
    confirmations: confirmations(entry)
  }
  if (payload.type === 'transfer') {
    const { to, amount, memo } = payload
    return { ...common, type: 'transfer', to, amount: amount.toString(), ...(memo === undefined ? {} : { memo }) }
  }
  const { cid, name, mediaType, size } = payload
  return { ...common, type: 'record', content: cid.toString(), name, mediaType, size }
}

export function describeBalance(state: LedgerState, account: string): BalanceView {
  return { account, balance: state.balance(account).toString(), nextSequence: state.nextSequence(account) }
}

export function describeGenesis(block: GenesisBlock): GenesisView {
  const { network, balances, witnesses } = block.genesis
  return {
    cid: block.cid.toString(),
    network,
    balances: Object.fromEntries([...balances].map(([account, amount]) => [account, amount.toString()])),
    witnesses,
    topic: block.topic
  }
}
