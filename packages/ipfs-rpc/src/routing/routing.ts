import type { FindProvidersOptions, HookOptions, PeerInfo, RoutingHooks } from '@p2pl/core/backend'
import type { DaemonOptions } from '@p2pl/kubo'
import { type CallKind, failure } from '@p2pl/kubo/rpc'
import type { CID } from 'multiformats/cid'
import type { RpcClient } from '../rpc/client.ts'
import { parseAddress } from './address.ts'
import type { Connections } from './connections.ts'
import { finalPeer, peersIn, provider } from './query-events.ts'

const providing: CallKind = { operation: 'routing.provide', lane: 'network' }
const findingProviders: CallKind = { operation: 'routing.findProviders', lane: 'network' }
const findingPeer: CallKind = { operation: 'routing.findPeer', lane: 'network' }

/**
 * Provider records and addresses through the daemon's DHT, and its connections. `daemon`: the options of a managed
 * daemon. The calls do not use the library, which gives up a whole search because of one peer that it cannot read.
 */
export function routingHooks(
  rpc: RpcClient,
  connections: Connections,
  daemon: DaemonOptions | undefined
): RoutingHooks {
  return {
    provide: async (cid, { signal }) => {
      const query = new URLSearchParams({ arg: cid.toString() })
      const answer = await rpc.request(providing, { path: 'routing/provide', query, signal })
      // Only an error event matters.
      for await (const lines of answer.lines()) void lines
    },
    // A managed daemon provides nothing by itself, so there is no record to stop renewing.
    ...(daemon === undefined ? {} : { unprovide: async () => {} }),
    findProviders: (cid, options) => findProviders(rpc, cid, options),
    findPeer: async (id, options) => await findPeer(rpc, id, options),
    connect: async (peer, { signal }) => await connections.connect(peer, signal),
    disconnect: async (id, { signal }) => await connections.disconnect(id, signal),
    connections: async ({ signal }) => await connections.list(signal),
    parseAddress,
    bootstrap: (daemon?.bootstrap ?? []).map(parseAddress).filter((peer) => peer !== undefined)
  }
}

async function* findProviders(
  rpc: RpcClient,
  cid: CID,
  { limit, signal }: FindProvidersOptions
): AsyncGenerator<PeerInfo, void, undefined> {
  const answer = await rpc.request(findingProviders, {
    path: 'routing/findprovs',
    // One more, because the daemon's own record counts.
    query: new URLSearchParams({ arg: cid.toString(), 'num-providers': String(limit + 1) }),
    signal
  })
  for await (const event of answer.objects()) yield* peersIn(event, provider)
}

async function findPeer(rpc: RpcClient, id: string, { signal }: HookOptions): Promise<PeerInfo> {
  const answer = await rpc.request(findingPeer, {
    path: 'routing/findpeer',
    query: new URLSearchParams({ arg: id }),
    signal
  })
  for await (const event of answer.objects())
    for (const peer of peersIn(event, finalPeer)) if (peer.id === id) return peer
  throw failure('NOT_FOUND', findingPeer.operation, `nobody knows the addresses of ${id}`)
}
