import { unsupported } from '../errors.ts'
import { asTypedError } from '../foreign-error.ts'
import type { Backend } from '../port/backend.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { AbortOptions, PeerInfo } from '../port/common.ts'
import type { RoutingTransport } from '../port/routing.ts'
import { Lifecycle } from './lifecycle.ts'

/** Combines two backends: messages through one, blocks through the other, and the connections of both. */
export function split({ messages, data }: { readonly messages: Backend; readonly data: Backend }): Backend {
  if (messages.capabilities.messages === undefined) throw unsupported(messages.name, 'messages')
  if (data.capabilities.blocks === undefined) throw unsupported(data.name, 'data')
  if (messages === data) return messages
  const legs = [data, messages] as const
  const name = `${messages.name}+${data.name}`
  const lifecycle = new Lifecycle({
    name,
    open: async (signal, report) => {
      const started = await Promise.allSettled(legs.map((leg) => leg.start({ signal, onEvent: report })))
      const failure = started.find((result) => result.status === 'rejected')
      const close = async (): Promise<void> => {
        await Promise.all(legs.map((leg) => leg.stop()))
      }
      if (failure === undefined) return { self: () => messages.self()[0] as PeerInfo, close }
      await close()
      throw failure.reason
    },
    opened: () => undefined,
    closing: () => undefined,
    // The legs' errors say what failed, and in which leg.
    typed: (error, operation) => asTypedError(error, operation, name)
  })
  return {
    name,
    get capabilities() {
      return meet(messages.capabilities, data.capabilities)
    },
    start: (options) => lifecycle.start(options),
    stop: (options) => lifecycle.stop(options),
    self: () => selves(legs),
    messages: messages.messages,
    blocks: data.blocks,
    routing: splitRouting(data, messages),
    get secrets() {
      return messages.secrets ?? data.secrets
    },
    get engine() {
      const engines = { messages: messages.engine, data: data.engine }
      return engines.messages === undefined && engines.data === undefined ? undefined : engines
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

function isOn(leg: Backend, peer: PeerInfo | undefined): boolean {
  try {
    return leg.self().some(({ network }) => network === peer?.network)
  } catch {
    return false
  }
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
      const matching = able.filter((leg) => isOn(leg, peer))
      // If no leg matches, the refusal of the first leg gives the reason: another network, no peer at all, or not running.
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
