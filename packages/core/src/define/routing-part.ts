import type { PeerInfo } from '../port/common.ts'
import type { OpenedBackend } from '../port/definition.ts'
import type { RoutingHooks, RoutingTransport } from '../port/routing.ts'
import { part, type PartContext } from './part-context.ts'

const defaultLimit = 20

export function routingPart({ calls, checks, capabilities, selves, tagged }: PartContext): RoutingTransport {
  type Feature = 'provide' | 'unprovide' | 'findProviders' | 'findPeer' | 'connect'
  const routingOf = ({ routing }: OpenedBackend, feature: Feature, operation: string): RoutingHooks => {
    if ((capabilities().routing?.[feature] ?? 'none') === 'none') {
      throw checks.unsupported(operation, `declares routing.${feature} as none`)
    }
    return part(routing)
  }
  return {
    provide: (input, options) =>
      calls.call('routing.provide', options, async (engine, hook) => {
        const routing = routingOf(engine, 'provide', 'routing.provide')
        await routing.provide?.(checks.cid('routing.provide', input, undefined), hook)
      }),
    unprovide: (input, options) =>
      calls.call('routing.unprovide', options, async (engine, hook) => {
        const routing = routingOf(engine, 'unprovide', 'routing.unprovide')
        await routing.unprovide?.(checks.cid('routing.unprovide', input, undefined), hook)
      }),
    findProviders: (input, options) =>
      calls.iterate('routing.findProviders', options, (engine, hook) => {
        const routing = routingOf(engine, 'findProviders', 'routing.findProviders')
        const limit = checks.limit('routing.findProviders', options?.limit, defaultLimit)
        const cid = checks.cid('routing.findProviders', input, undefined)
        return distinct(part(routing.findProviders?.(cid, { ...hook, limit })), limit, selves(engine))
      }),
    findPeer: (id, options) =>
      calls.call('routing.findPeer', options, async (engine, hook) => {
        const routing = routingOf(engine, 'findPeer', 'routing.findPeer')
        checks.id('routing.findPeer', id)
        return part(await routing.findPeer?.(id, hook))
      }),
    connect: (given, options) =>
      calls.call('routing.connect', options, async (engine, hook) => {
        const routing = routingOf(engine, 'connect', 'routing.connect')
        await routing.connect?.(checks.remotePeer('routing.connect', given, selves(engine)), hook)
      }),
    disconnect: (id, options) =>
      calls.call('routing.disconnect', options, async (engine, hook) => {
        const routing = routingOf(engine, 'connect', 'routing.disconnect')
        checks.id('routing.disconnect', id)
        await routing.disconnect?.(id, hook)
      }),
    connections: (options) =>
      calls.call('routing.connections', options, async (engine, hook) =>
        part(await routingOf(engine, 'connect', 'routing.connections').connections?.(hook))
      ),
    parseAddress: (text) => {
      const peer = calls.engine?.routing?.parseAddress?.(text)
      return peer === undefined ? undefined : tagged(peer)
    },
    get bootstrap() {
      return calls.engine?.routing?.bootstrap ?? []
    }
  }
}

/** Each peer once, at most `limit`, never the local one. The local peer's entries do not count. */
async function* distinct(
  peers: AsyncIterable<PeerInfo>,
  limit: number,
  own: readonly PeerInfo[]
): AsyncGenerator<PeerInfo, void, undefined> {
  const seen = new Set(own.map(keyOf))
  const most = seen.size + limit
  for await (const peer of peers) {
    const key = keyOf(peer)
    if (seen.has(key)) continue
    seen.add(key)
    yield peer
    if (seen.size >= most) return
  }
}

function keyOf({ network, id }: PeerInfo): string {
  return `${network}/${id}`
}
