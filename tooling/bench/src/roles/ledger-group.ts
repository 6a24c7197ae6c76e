import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { PeerAddress } from '@p2pl/core'
import type { Genesis } from '@p2pl/ledger'
import { type Child, startChild } from '../harness/child.ts'
import type { Context } from '../harness/scenario.ts'
import type { LedgerOptions, LedgerPeer } from './ledger.ts'
import type { Competitor } from './nodes.ts'

export interface LedgerGroup {
  readonly peers: readonly Child<LedgerPeer>[]
  readonly accounts: readonly string[]
}

let groups = 0

/** Starts peers of one ledger in separate processes, each connected to the first. Each peer has money. */
export async function startLedgers(
  { backend = 'helia' }: Competitor,
  count: number,
  context: Context
): Promise<LedgerGroup> {
  const peers: Child<LedgerPeer>[] = []
  const group = groups++
  for (let i = 0; i < count; i++) {
    const options: LedgerOptions = { backend, folder: join(context.folder, `ledger-${group}-${i}`) }
    peers.push(await startChild<LedgerPeer>(new URL('./ledger.ts', import.meta.url), options, context))
  }
  const accounts = await Promise.all(peers.map((peer) => peer.call.account()))
  const genesis: Genesis = {
    network: 'bench',
    balances: new Map(accounts.map((account) => [account, 1_000_000n])),
    witnesses: [],
    salt: new Uint8Array(randomBytes(16))
  }
  let first: PeerAddress | undefined
  for (const { call } of peers) {
    const address = await call.open(genesis)
    if (first === undefined) first = address
    else await call.connect(first)
  }
  return { peers, accounts }
}
