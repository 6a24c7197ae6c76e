import { Client as DhtClient } from 'bittorrent-dht'
import { Server as TrackerServer } from 'bittorrent-tracker'
import type { ConformanceNetwork, Runner } from '@p2pl/conformance'
import type { Backend } from '@p2pl/core/backend'
import { bittorrent, type BittorrentOptions } from '../src/index.ts'

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

export async function link(backends: readonly Backend[]): Promise<void> {
  for (const [i, backend] of backends.entries())
    for (const earlier of backends.slice(0, i)) await backend.routing?.connect(earlier.self())
}

/** A network of the kit, with whatever its participants need to meet. */
export function kitNetwork(
  count: number,
  options: (index: number) => BittorrentOptions,
  dispose: () => Promise<void>
): ConformanceNetwork {
  const backends = Array.from({ length: count }, (_, i) => bittorrent(options(i)))
  return {
    backends,
    link: async () => await link(backends),
    interrupt: async (index) => {
      // Both sides forget the connection, so that neither makes it again before the other has noticed.
      const lost = backends[index]
      const others = backends.filter((backend) => backend !== lost)
      if (lost === undefined) return
      await Promise.all(others.map(async (backend) => await backend.routing?.disconnect(lost.self().id)))
      await Promise.all(others.map(async (backend) => await lost.routing?.disconnect(backend.self().id)))
      await link(backends)
    },
    reopen: (index) => Promise.resolve(bittorrent(options(index))),
    dispose
  }
}

export function runnerOf(
  describe: (name: string, body: () => void) => unknown,
  it: (name: string, body: () => Promise<void>) => unknown
): Runner {
  return {
    describe: (name: string, body: () => void) => void describe(name, body),
    it: (name: string, body: () => Promise<void>) => void it(name, body),
    onUnhandledRejection: (listener: (reason: unknown) => void) => {
      process.on('unhandledRejection', listener)
      return () => void process.off('unhandledRejection', listener)
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
