import { P2plError, type RoutingHooks } from '@p2pl/core/backend'
import { parseAddress } from './engine/address.ts'
import { peerInfoOf, type Engine } from './engine/engine.ts'

/** `connect` dials once. Core reconnects to the peers that the app asked for. */
export function routingHooks(engine: Engine, network: string): RoutingHooks {
  return {
    connect: async ({ id, addresses }, { signal }) => {
      if (engine.link(id) !== undefined) return
      const dialable = addresses.flatMap((text) => parseAddress(text) ?? [])
      if (dialable.length === 0) throw unreachable(`${id} has no address of the form host:port`)
      const errors: unknown[] = []
      for (const address of dialable) {
        const link = await engine.dial(address, signal).catch((error: unknown) => void errors.push(error))
        // An app that knows only the address passes it in place of the id.
        if (link !== undefined && (link.id === id || parseAddress(id) !== undefined)) return
        link?.leave()
      }
      throw errors[0] ?? unreachable(`another peer than ${id} answers at ${addresses.join(', ')}`)
    },
    disconnect: async (id) => engine.disconnect(id),
    connections: async () => engine.links().map((link) => peerInfoOf(network, link)),
    parseAddress: (text) => (parseAddress(text) === undefined ? undefined : { network, id: text, addresses: [text] })
  }
}

function unreachable(message: string): P2plError {
  return new P2plError({ code: 'UNREACHABLE', message })
}
