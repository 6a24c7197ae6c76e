import type { LibraryCallKind, RpcClient } from './rpc/client.ts'
import type { IpfsRpcStats } from './stats.ts'

// Then the daemon does not count blocks, which takes minutes in a large store.
const repoStat: LibraryCallKind = { operation: 'stats', lane: 'store', params: { 'size-only': true } }
const bandwidth: LibraryCallKind = { operation: 'stats', lane: 'store', answer: 'lines' }

export async function readStats(rpc: RpcClient, signal: AbortSignal | undefined): Promise<IpfsRpcStats> {
  const [repo, traffic] = await Promise.all([
    rpc.call(repoStat, signal, async (library, options) => await library.repo.stat(options)),
    rpc.call(bandwidth, signal, async (library, options) => {
      for await (const total of library.stats.bw(options)) return total
      return undefined
    })
  ])
  return {
    storageBytes: count(repo.repoSize),
    storageMaxBytes: count(repo.storageMax),
    receivedBytes: count(traffic?.totalIn ?? 0n),
    sentBytes: count(traffic?.totalOut ?? 0n)
  }
}

function count(value: bigint): number {
  return value > 0n ? Number(value) : 0
}
