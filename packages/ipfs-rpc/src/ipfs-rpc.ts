import { resolve } from 'node:path'
import { type AbortOptions, type DefinedBackend, defineBackend, P2plError } from '@p2pl/core/backend'
import { Kubo } from '@p2pl/kubo'
import { capabilitiesOf } from './capabilities.ts'
import { openEngine } from './open.ts'
import { type IpfsRpcOptions, parseOptions } from './options.ts'
import { readStats } from './read-stats.ts'
import { RpcClient } from './rpc/client.ts'
import type { IpfsRpcStats } from './stats.ts'

/** A backend over a Kubo daemon, with the features that only it has. */
export interface IpfsRpcBackend extends DefinedBackend<Kubo> {
  /** Size and traffic of the daemon. Throws `NOT_RUNNING` while the backend is not running. */
  stats(options?: AbortOptions): Promise<IpfsRpcStats>
}

const name = 'ipfs-rpc'

/**
 * Creates a backend over the RPC API of a Kubo daemon: a running one (`url`), or one that the backend starts itself
 * (`daemon`). Throws `INVALID_ARGUMENT`.
 */
export function ipfsRpc(options: IpfsRpcOptions = {}): IpfsRpcBackend {
  const settings = parseOptions(options)
  const kubo = new Kubo(settings.kubo)
  const { daemon } = settings.kubo
  const backend = defineBackend<Kubo>({
    name,
    network: 'libp2p',
    capabilities: capabilitiesOf(settings.pubsub, daemon !== undefined),
    open: async (hooks) =>
      await openEngine(kubo, { ...settings, repo: daemon === undefined ? undefined : resolve(daemon.repo) }, hooks)
  })
  const stats = async ({ signal }: AbortOptions = {}): Promise<IpfsRpcStats> => {
    if (backend.engine === undefined)
      throw new P2plError({ code: 'NOT_RUNNING', operation: 'stats', backend: name, message: `${name} does not run` })
    return await readStats(new RpcClient(kubo.rpc), signal)
  }
  return Object.assign(backend, { stats })
}
