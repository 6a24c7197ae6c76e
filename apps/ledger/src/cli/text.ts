import type { BalanceView, EntryView } from '../service/views.ts'

// Formats results for people.

export function entryLines(entry: EntryView): string[] {
  const what =
    entry.type === 'transfer'
      ? [
          `transfer       ${entry.amount} from ${entry.author}`,
          `to             ${entry.to}`,
          ...(entry.memo === undefined ? [] : [`memo           ${entry.memo}`])
        ]
      : [
          `record         ${entry.name} (${entry.mediaType}, ${entry.size} bytes) by ${entry.author}`,
          `content        ${entry.content}`
        ]
  return [
    `entry          ${entry.cid}`,
    ...what,
    `sequence       ${entry.sequence}`,
    ...(entry.reference === undefined ? [] : [`reference      ${entry.reference}`]),
    `clock          ${entry.clock}, approves ${entry.parents.length}`,
    `status         ${statusText(entry)}`,
    `confirmations  ${entry.confirmations}`
  ]
}

export function entryLine(entry: EntryView): string {
  const what =
    entry.type === 'transfer'
      ? `${short(entry.author)} → ${short(entry.to)} ${entry.amount}${entry.memo === undefined ? '' : ` "${entry.memo}"`}`
      : `${short(entry.author)} recorded ${entry.name} (${entry.size} bytes)`
  const clock = String(entry.clock).padStart(6)
  return `${clock}  ${shortCid(entry.cid)}  ${entry.confirmations}✓  ${what}${entry.status === 'accepted' ? '' : `  ${statusText(entry)}`}`
}

export function balanceLines(balances: readonly BalanceView[]): string[] {
  const width = Math.max(0, ...balances.map(({ balance }) => balance.length))
  return balances.map(({ account, balance }) => `${balance.padStart(width)}  ${account}`)
}

function short(account: string): string {
  return `…${account.slice(-6)}`
}

function shortCid(cid: string): string {
  return `…${cid.slice(-8)}`
}

function statusText(entry: EntryView): string {
  if (entry.status === 'accepted') return 'accepted'
  return `rejected: ${entry.reason ?? ''}${entry.conflict === undefined ? '' : ` by ${shortCid(entry.conflict)}`}`
}
