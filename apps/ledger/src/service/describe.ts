import type { PeerInfo } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { parseAmount } from '../rules/fields.ts'
import { encodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import type { Standing } from '../rules/outcome.ts'
import type { LedgerEntry } from '../state/entry-reader.ts'
import type { BalanceView, EntryView, GenesisView, PeerView } from './views.ts'

/** An entry as JSON. */
export function describeEntry(entry: LedgerEntry): EntryView {
  const { payload, outcome } = entry
  const common = {
    cid: entry.cid.toString(),
    clock: entry.clock,
    author: entry.author,
    parents: entry.parents.map((parent) => parent.toString()),
    sequence: payload.sequence,
    ...(payload.reference === undefined ? {} : { reference: payload.reference }),
    ...(outcome === 'accepted'
      ? { status: 'accepted' as const }
      : {
          status: 'rejected' as const,
          reason: outcome,
          ...(entry.conflict === undefined ? {} : { conflict: entry.conflict.toString() })
        }),
    confirmations: entry.confirmations
  }
  if (payload.type === 'transfer') {
    const { to, amount, memo } = payload
    return { ...common, type: 'transfer', to, amount: amount.toString(), ...(memo === undefined ? {} : { memo }) }
  }
  const { cid, name, mediaType, size } = payload
  return { ...common, type: 'record', content: cid.toString(), name, mediaType, size }
}

export function describeBalance(account: string, { balance, next }: Standing): BalanceView {
  return { account, balance: balance.toString(), nextSequence: next }
}

export function describePeer({ network, id, addresses }: PeerInfo): PeerView {
  return { network, id, addresses }
}

export function describeGenesis(block: GenesisBlock): GenesisView {
  const { network, balances, witnesses, salt } = block.genesis
  return {
    cid: block.cid.toString(),
    network,
    balances: Object.fromEntries([...balances].map(([account, amount]) => [account, amount.toString()])),
    witnesses,
    salt: Array.from(salt, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    topic: block.topic
  }
}

/** Rebuilds the block from its description alone; its CID must match. Throws `INVALID_CONTENT`. */
export function readGenesis({ cid, network, balances, witnesses, salt }: GenesisView): GenesisBlock {
  const bytes = Uint8Array.from(salt.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  const amounts = Object.entries(balances).map(
    ([account, amount]) => [account, parseAmount('balances', amount)] as const
  )
  const block = encodeGenesis({ network, balances: new Map(amounts), witnesses, salt: bytes })
  if (block.cid.toString() !== cid)
    throw new LedgerError(
      'INVALID_CONTENT',
      `the genesis is not that of ${cid}: it has the CID ${block.cid.toString()}`
    )
  return block
}
