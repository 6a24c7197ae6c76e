import { join } from 'node:path'
import {
  type Demo,
  type DemoPeer,
  encodeGenesis,
  initHome,
  openHome,
  prepareHome,
  RemoteLedger,
  type RunningNode,
  runNode
} from '@p2pl/ledger'

export interface Fleet extends Demo {
  readonly names: readonly string[]
  readonly accounts: Readonly<Record<string, string>>
  /** The API of a running peer. */
  ledger(name: string): RemoteLedger
  /** The address at which it serves its own page. */
  url(name: string): string
  /** Brings a killed peer back. */
  start(name: string): Promise<void>
  stop(): Promise<void>
}

/** Like the nodes of the demonstration: one address for peers, one for pages. */
const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']

/** Peers of one ledger in this process, on a real engine. A killed peer stays down until `start` is called. */
export async function startFleet(folder: string, names: readonly string[]): Promise<Fleet> {
  const accounts: Record<string, string> = {}
  for (const name of names) accounts[name] = (await prepareHome(join(folder, name))).id
  const ids = Object.values(accounts)
  const genesis = encodeGenesis({
    network: 'test',
    balances: new Map(ids.map((id) => [id, 1_000_000n])),
    witnesses: ids,
    salt: crypto.getRandomValues(new Uint8Array(16))
  })
  for (const name of names) await initHome(join(folder, name), genesis)
  const running = new Map<string, { node: RunningNode; ledger: RemoteLedger }>()
  const ends = new Map<string, Promise<void> | undefined>()
  const lives = new Map<string, DemoPeer['life']>()
  const listeners = new Set<() => void>()
  const set = (name: string, life: DemoPeer['life']): void => {
    lives.set(name, life)
    for (const listener of listeners) listener()
  }
  const start = async (name: string): Promise<void> => {
    set(name, 'starting')
    // A caller that sees the kill may start the peer again while its folder is still in use.
    await ends.get(name)
    const node = await runNode(await openHome(join(folder, name)), {
      backend: 'helia',
      env: {},
      listen,
      beaconPeriod: 300
    })
    const ledger = new RemoteLedger(node.api)
    const { self } = await ledger.status()
    for (const other of running.values()) for (const address of self) await other.ledger.connect(address)
    running.set(name, { node, ledger })
    set(name, 'up')
  }
  for (const name of names) await start(name)
  const up = (name: string): { node: RunningNode; ledger: RemoteLedger } => {
    const found = running.get(name)
    if (found === undefined) throw new Error(`${name} does not run`)
    return found
  }
  return {
    names,
    accounts,
    ledger: (name) => up(name).ledger,
    url: (name) => up(name).node.api.url,
    peers: () =>
      names.map((name) => ({ name, life: lives.get(name) ?? 'starting', ledger: running.get(name)?.ledger })),
    kill: async (name) => {
      const found = running.get(name)
      running.delete(name)
      set(name, 'killed')
      const stopping = found?.node.stop()
      ends.set(name, stopping)
      await stopping
    },
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start,
    stop: async () => {
      for (const { node } of running.values()) await node.stop()
    }
  }
}
