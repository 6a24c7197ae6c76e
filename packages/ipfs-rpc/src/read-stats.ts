import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'
import type { LibraryCallKind } from './rpc/client.ts'
import type { IpfsRpcStats } from './stats.ts'

// The daemon counts no blocks then, which takes minutes in a large store.
const repoStat: LibraryCallKind = { operation: 'stats', lane: 'store', params: { 'size-only': true } }
const bandwidth: LibraryCallKind = { operation: 'stats', lane: 'store', answer: 'lines' }

export async function readStats(
  engine: Engine,
  connections: Connections,
  signal: AbortSignal | undefined
): Promise<IpfsRpcStats> {
  engine.check('stats', signal)
  const [repo, traffic, connected] = await Promise.all([
    engine.rpc.call(repoStat, signal, async (kubo, options) => await kubo.repo.stat(options)),
    engine.rpc.call(bandwidth, signal, async (kubo, options) => {
      for await (const total of kubo.stats.bw(options)) return total
      return undefined
    }),
    connections.list({ signal })
  ])
  return {
    storageBytes: count(repo.repoSize),
    storageMaxBytes: count(repo.storageMax),
    receivedBytes: count(traffic?.totalIn ?? 0n),
    sentBytes: count(traffic?.totalOut ?? 0n),
    connections: connected.length
  }
}

function count(value: bigint): number {
  return value > 0n ? Number(value) : 0
}
