import { unsupported } from '../errors.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { AbortOptions, PeerInfo } from '../port/common.ts'
import type { RoutingTransport } from '../port/routing.ts'

/** Combines two backends: messages by one, blocks by the other, and the connections of both. */
export function split({ messages, data }: { readonly messages: Backend; readonly data: Backend }): Backend {
  if (messages.capabilities.messages === undefined) throw unsupported(messages.name, 'messages')
  if (data.capabilities.blocks === undefined) throw unsupported(data.name, 'data')
  if (messages === data) return messages
  const legs = [data, messages] as const
  return {
    name: `${messages.name}+${data.name}`,
    get capabilities() {
      return meet(messages.capabilities, data.capabilities)
    },
    start: async (options) => {
      const results = await Promise.allSettled(legs.map((leg) => leg.start(options)))
      const failure = results.find((result) => result.status === 'rejected')
      if (failure === undefined) return
      await Promise.allSettled(legs.map((leg) => leg.stop()))
      throw failure.reason
    },
    stop: async (options) => {
      const results = await Promise.allSettled(legs.map((leg) => leg.stop(options)))
      const failure = results.find((result) => result.status === 'rejected')
      if (failure !== undefined) throw failure.reason
    },
    self: () => selves(legs),
    messages: messages.messages,
    blocks: data.blocks,
    routing: splitRouting(data, messages),
    get secrets() {
      return messages.secrets ?? data.secrets
    },
    get engine() {
      return { messages: messages.engine, data: data.engine }
    }
  }
}

function meet(messages: Capabilities, data: Capabilities): Capabilities {
  const { routing } = data
  const connect = routing?.connect ?? 'none'
  const other = messages.routing?.connect ?? 'none'
  return {
    messages: messages.messages,
    blocks: data.blocks,
    routing:
      routing === undefined && other === 'none'
        ? undefined
        : {
            provide: 'none',
            unprovide: 'none',
            findProviders: 'none',
            findPeer: 'none',
            recordLifetime: Infinity,
            ...routing,
            connect: connect === 'none' ? other : connect
          }
  }
}

/** One entry for each network; two backends of one network may have different ids. */
function selves(legs: readonly Backend[]): readonly PeerInfo[] {
  const found = new Map<string, PeerInfo>()
  for (const peer of legs.flatMap((leg) => leg.self())) found.set(`${peer.network}/${peer.id}`, peer)
  return [...found.values()]
}

function splitRouting(data: Backend, messages: Backend): RoutingTransport | undefined {
  if (data.routing === undefined && messages.routing === undefined) return undefined
  const legs = [data, messages]
  const of = (leg: Backend, operation: string): RoutingTransport => {
    if (leg.routing === undefined) throw unsupported(leg.name, operation)
    return leg.routing
  }
  const connecting = (operation: string): readonly Backend[] => {
    const able = legs.filter((leg) => (leg.capabilities.routing?.connect ?? 'none') !== 'none')
    if (able.length === 0) throw unsupported(data.name, operation)
    return able
  }
  const onSome = async (operation: string, work: (routing: RoutingTransport) => Promise<void>): Promise<void> => {
    const results = await Promise.allSettled(connecting(operation).map((leg) => work(of(leg, operation))))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure !== undefined && results.every((result) => result.status === 'rejected')) throw failure.reason
  }
  return {
    provide: async (cid, options) => await of(data, 'routing.provide').provide(cid, options),
    unprovide: async (cid, options) => await of(data, 'routing.unprovide').unprovide(cid, options),
    findProviders: (cid, options) => of(data, 'routing.findProviders').findProviders(cid, options),
    findPeer: async (id, options) => await of(data, 'routing.findPeer').findPeer(id, options),
    connect: async (peer, options) => {
      const able = connecting('routing.connect')
      const matching = able.filter((leg) => leg.self().some(({ network }) => network === peer.network))
      // Of a network that no leg is on, the first leg's refusal names both.
      const dialled = matching.length === 0 ? able.slice(0, 1) : matching
      await Promise.all(dialled.map((leg) => of(leg, 'routing.connect').connect(peer, options)))
    },
    disconnect: async (id, options) => {
      await onSome('routing.disconnect', (routing) => routing.disconnect(id, options))
    },
    connections: async (options?: AbortOptions) => {
      const lists = await Promise.all(
        connecting('routing.connections').map((leg) => of(leg, 'routing.connections').connections(options))
      )
      return lists.flat()
    },
    parseAddress: (text) => data.routing?.parseAddress(text) ?? messages.routing?.parseAddress(text),
    get bootstrap() {
      return legs.flatMap((leg) => leg.routing?.bootstrap ?? [])
    }
  }
}
