import { Client as DhtClient } from 'bittorrent-dht'
import { Server as TrackerServer } from 'bittorrent-tracker'
import type { ConformanceNetwork } from '@p2pl/conformance'
import type { Backend, PeerInfo, Subscriber } from '@p2pl/core/backend'
import { ProcessPool, type RemoteBackend } from '@p2pl/tooling-process-backend'
import { afterAll, beforeAll } from 'vitest'
import { bittorrent, type BittorrentOptions } from '../src/index.ts'
import { network, parsePeer } from '../src/peers.ts'
import { bittorrent as kitPeer, type KitPeer } from './kit-peer.ts'

/** A DHT node that does nothing else: where those meet who know nobody. */
export interface BootstrapNode {
  readonly address: string
  readonly stop: () => Promise<void>
}

export async function bootstrapNode(): Promise<BootstrapNode> {
  const node = new DhtClient({ bootstrap: false })
  node.on('warning', () => {})
  await new Promise<void>((resolve) => {
    node.once('listening', resolve)
    node.listen(0, '127.0.0.1')
  })
  return {
    address: `127.0.0.1:${node.address().port}`,
    stop: async () => await new Promise<void>((resolve) => node.destroy(resolve))
  }
}

/** The one id and the addresses of a peer. */
export function selfOf(backend: Backend): PeerInfo {
  const [self] = backend.self()
  if (self === undefined) throw new Error('it has a network')
  return self
}

export async function link(backends: readonly Backend[]): Promise<void> {
  for (const [i, backend] of backends.entries())
    for (const earlier of backends.slice(0, i)) await backend.routing?.connect(selfOf(earlier))
}

/** A subscriber that takes everything. */
export function hears(message: (text: string) => void = () => {}): Subscriber {
  return {
    message: ({ payload }) => {
      message(Buffer.from(payload).toString())
      return 'accept'
    },
    gap: ({ reason }) => message(`gap: ${reason}`)
  }
}

/** Each peer of the kit is a process of its own; those are used again by the next network. */
const processes = new ProcessPool()
const source = import.meta.resolve('./kit-peer.ts')
afterAll(async () => await processes.close())

/** Call it once in a file that runs the kit: one peer alone, three, and as many of a test's own. */
export function startProcesses(): void {
  beforeAll(async () => await processes.warm(7, source), 120_000)
}

const declared = new Map<string, Pick<Backend, 'name' | 'capabilities'>>()

function inProcess(options: BittorrentOptions): RemoteBackend {
  // What it declares depends on whether there is a folder, a DHT and a tracker.
  const kind = JSON.stringify(Object.keys(options))
  const of = declared.get(kind) ?? bittorrent(options)
  declared.set(kind, of)
  const parseAddress = parsePeer
  const methods = ['isolate']
  return processes.take({ module: source, name: 'bittorrent', args: [options], of, network, parseAddress, methods })
}

/**
 * A network of the kit, with whatever its peers need to meet. A peer alone is in this process: only there an abort and the work that
 * it ends are in one order.
 */
export function kitNetwork(
  count: number,
  options: (index: number) => BittorrentOptions,
  dispose: () => Promise<void>
): ConformanceNetwork {
  const make = (index: number): Backend => (count === 1 ? kitPeer(options(index)) : inProcess(options(index)))
  const made = Array.from({ length: count }, (_, index) => make(index))
  const backends = [...made]
  return {
    backends,
    link: async () => await link(backends),
    cut: async (index) => {
      const lost = backends[index] as unknown as KitPeer
      await lost.isolate(true)
      return async () => await lost.isolate(false)
    },
    reopen: (index) => {
      const backend = make(index)
      made.push(backend)
      return Promise.resolve(backend)
    },
    dispose: async () => {
      for (const backend of made) processes.release(backend as RemoteBackend)
      await dispose()
    }
  }
}

export interface LocalTracker {
  readonly http: string
  readonly udp: string
  readonly stop: () => Promise<void>
}

export async function localTracker(): Promise<LocalTracker> {
  const server = new TrackerServer({ http: true, udp: true, ws: false, stats: false })
  server.on('warning', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // A plain host would bind the IPv6 socket to it, too.
    server.listen(0, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }, resolve)
  })
  return {
    http: `http://127.0.0.1:${server.http.address().port}/announce`,
    udp: `udp://127.0.0.1:${server.udp.address().port}`,
    stop: async () => await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
