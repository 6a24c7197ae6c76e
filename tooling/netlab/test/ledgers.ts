import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { encodeGenesis, initHome, prepareHome, type PeerView, type StatusView } from '@p2pl/ledger'
import { type Ask, askerOf } from '@p2pl/tooling-vitest/remote'
import { until } from '@p2pl/tooling-vitest'
import type { Host } from '../src/index.ts'

const program = fileURLToPath(new URL('programs/ledger.ts', import.meta.url))
const port = 4_001

/** A node of the ledger on a host of the lab. */
export interface LedgerOn {
  readonly host: Host
  readonly account: string
  readonly ask: Ask
}

export interface LedgerPlace {
  readonly host: Host
  readonly backend?: 'helia' | 'ipfs-rpc'
  readonly env?: NodeJS.ProcessEnv
}

/** One ledger with a node on each host, all connected to each other. */
export async function startLedgers(folder: string, places: readonly LedgerPlace[]): Promise<LedgerOn[]> {
  const folders = places.map((_, i) => join(folder, `node-${i}`))
  const accounts = await Promise.all(folders.map(async (path) => (await prepareHome(path)).id))
  const balances = new Map(accounts.map((id) => [id, 1_000_000n]))
  const genesis = encodeGenesis({ network: 'lab', balances, witnesses: accounts, salt: new Uint8Array(16) })
  const nodes: LedgerOn[] = []
  for (const [i, { host, backend = 'helia', env }] of places.entries()) {
    const path = folders[i] as string
    await initHome(path, genesis)
    const child = host.fork(program, [path, backend, `/ip4/0.0.0.0/tcp/${port}`], env)
    nodes.push({ host, account: accounts[i] as string, ask: askerOf(child, `the ledger on ${host.address}`) })
  }
  for (const one of nodes)
    for (const other of nodes) if (one !== other) await one.ask('connect', await reachable(other))
  return nodes
}

async function reachable({ ask, host }: LedgerOn): Promise<PeerView> {
  const [self] = (await ask<StatusView>('status')).self
  if (self === undefined) throw new Error('a node without a network')
  return { ...self, addresses: [`/ip4/${host.address}/tcp/${port}/p2p/${self.id}`] }
}

/** Records a transfer and waits until all nodes have it and the same root. Resolves with the time that took (ms). */
export async function transferred(nodes: readonly LedgerOn[], from: LedgerOn, deadline: number): Promise<number> {
  const start = performance.now()
  await from.ask('transfer', nodes.find((node) => node !== from)?.account)
  await until('one root', async () => new Set(await Promise.all(nodes.map(rootOf))).size === 1, deadline)
  return performance.now() - start
}

/** The root covers every entry that the node has acknowledged. */
async function rootOf({ ask }: LedgerOn): Promise<string> {
  return (await ask<StatusView>('status')).root
}
