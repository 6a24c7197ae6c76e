import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'

export interface IpfsRpcStats {
  /** Bytes of the store. */
  readonly storageBytes: number
  /** Bytes from which on garbage collection is wanted; 0 when the daemon does not say. */
  readonly storageMaxBytes: number
  /** Bytes that the daemon received and sent since it runs. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly connections: number
}

export async function readStats(
  engine: Engine,
  connections: Connections,
  signal: AbortSignal | undefined
): Promise<IpfsRpcStats> {
  const operation = 'stats'
  engine.check(operation, signal)
  const call = { operation, signal, lane: 'store' } as const
  const [repo, bandwidth, connected] = await Promise.all([
    engine.rpc.json('repo/stat', { 'size-only': true }, call),
    engine.rpc.json('stats/bw', {}, call),
    connections.list({ signal })
  ])
  return {
    storageBytes: count(repo['RepoSize']),
    storageMaxBytes: count(repo['StorageMax']),
    receivedBytes: count(bandwidth['TotalIn']),
    sentBytes: count(bandwidth['TotalOut']),
    connections: connected.length
  }
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0
}
