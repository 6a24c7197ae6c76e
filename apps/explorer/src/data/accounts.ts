import { type Signal, signal } from '@preact/signals'
import type { BalanceView } from '@p2pl/ledger'
import { getJson } from './api.ts'
import { watchedNode } from './watched.ts'

export const accounts: Signal<readonly BalanceView[]> = signal([])

const pauseMs = 300
let waiting = false

/** Requests all balances soon; repeated calls share one request. */
export function refreshAccounts(): void {
  if (waiting) return
  waiting = true
  setTimeout(() => {
    waiting = false
    void ask()
  }, pauseMs)
}

async function ask(): Promise<void> {
  const node = watchedNode()
  if (node === undefined) return
  try {
    accounts.value = (await getJson<{ balances: BalanceView[] }>(`${node.path}/balances`)).balances
  } catch {
    // The node ended meanwhile. The next change asks another node.
  }
}
