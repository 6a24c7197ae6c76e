import { P2plError, type PeerInfo } from '@p2pl/core/backend'
import { declaring, inRouting, type Mutant } from './mutant.ts'

export const routingMutants: readonly Mutant[] = [
  inRouting('records live for no time', /recordLifetime/, () => ({}), declaring('routing', { recordLifetime: 0 })),
  inRouting('provide does nothing', /the peer that provided is found/, (routing) => ({
    provide: async (cid, options) => {
      await routing.provide(cid, options)
      await routing.unprovide(cid, options)
    }
  })),
  inRouting('everybody is listed as a provider', /the peer that provided is found/, (routing) => ({
    findProviders: async function* (_cid, options) {
      yield* await routing.connections(options)
    }
  })),
  inRouting('records are by the whole CID', /by multihash/, (routing) => ({
    findProviders: async function* (cid, options) {
      if (cid.code === 0x55) yield* routing.findProviders(cid, options)
      else for await (const peer of routing.findProviders(cid, options)) if (peer.id === '') yield peer
    }
  })),
  inRouting('providers are listed twice', /providers are distinct/, (routing) => ({
    findProviders: async function* (cid, options) {
      yield* routing.findProviders(cid, options)
      yield* routing.findProviders(cid, options)
    }
  })),
  inRouting('limit is ignored', /providers are distinct/, (routing) => ({
    findProviders: (cid, options) => routing.findProviders(cid, { ...options, limit: undefined })
  })),
  inRouting('only the first provider is found', /providers are distinct/, (routing) => ({
    findProviders: (cid, options) => routing.findProviders(cid, { ...options, limit: 1 })
  })),
  inRouting('the own peer is listed', /a peer does not list itself/, (routing, node) => ({
    findProviders: async function* (cid, options) {
      if (node.run?.provided.size !== 0) yield node.self()
      yield* routing.findProviders(cid, options)
    }
  })),
  inRouting('finding no provider is an error', /finding no provider/, (routing, node) => ({
    findProviders: async function* (cid, options) {
      let count = 0
      for await (const peer of routing.findProviders(cid, options)) {
        count++
        yield peer
      }
      if (count === 0) throw node.error('NOT_FOUND', 'routing.findProviders', 'nobody has it')
    }
  })),
  inRouting('leaving a search never ends', /left early/, (routing) => ({
    findProviders: (cid, options) => {
      const inner = routing.findProviders(cid, options)[Symbol.asyncIterator]()
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () => await inner.next(),
          return: async () => await new Promise<never>(() => undefined)
        })
      }
    }
  })),
  inRouting('providing alone resolves', /while alone/, (routing, node) => ({
    provide: async (cid, options) => {
      if (node.run === undefined || options?.signal?.aborted === true || (await routing.connections()).length > 0)
        await routing.provide(cid, options)
    }
  })),
  inRouting('providing alone never ends', /while alone/, (routing, node) => ({
    provide: async (cid, options) => {
      if (node.run !== undefined && options?.signal?.aborted === false && (await routing.connections()).length === 0)
        await new Promise<never>(() => undefined)
      await routing.provide(cid, options)
    }
  })),
  inRouting('providing alone is not retryable', /while alone/, (routing) => ({
    provide: async (cid, options) => {
      try {
        await routing.provide(cid, options)
      } catch (error) {
        const { code, message, operation, backend } = error as P2plError
        throw new P2plError({ code, message, operation, backend, retryable: false })
      }
    }
  })),
  inRouting('unprovide of what was not provided fails', /unprovide ends/, (routing, node) => ({
    unprovide: async (cid, options) => {
      if (node.run?.provided.size === 0) throw node.error('NOT_FOUND', 'routing.unprovide', 'not provided')
      await routing.unprovide(cid, options)
      node.run?.provided.clear()
    }
  })),
  inRouting('what was unprovided cannot be provided again', /unprovide ends/, (routing) => {
    const ended = new Set<string>()
    return {
      unprovide: async (cid, options) => {
        await routing.unprovide(cid, options)
        ended.add(cid.toString())
      },
      provide: async (cid, options) => {
        if (!ended.has(cid.toString())) await routing.provide(cid, options)
      }
    }
  }),
  inRouting('findPeer gives somebody else', /findPeer gives a peer/, (routing, node) => ({
    findPeer: async (id, options) => {
      await routing.findPeer(id, options)
      return node.self()
    }
  })),
  inRouting('findPeer gives no addresses', /findPeer gives a peer/, (routing) => ({
    findPeer: async (id, options) => ({ ...(await routing.findPeer(id, options)), addresses: [] })
  })),
  inRouting('findPeer believes in everybody', /findPeer gives a peer/, (routing, node) => ({
    findPeer: async (id, options) => {
      if (node.run === undefined || options?.signal?.aborted === true || !id.startsWith('fake-'))
        return await routing.findPeer(id, options)
      return { id, addresses: [`fake:${id}`] }
    }
  })),
  inRouting('connections lists nobody', /connect makes a direct/, (routing) => ({
    connections: async (options) => (await routing.connections(options)).slice(0, 0)
  })),
  inRouting('connections lists the own peer', /connect makes a direct/, (routing, node) => ({
    connections: async (options) => [...(await routing.connections(options)), node.self()]
  })),
  inRouting('connections lists a peer once for each connect', /connect makes a direct/, (routing) => {
    const made: PeerInfo[] = []
    return {
      connect: async (peer, options) => {
        await routing.connect(peer, options)
        made.push(peer)
      },
      connections: async (options) => {
        const now = new Set((await routing.connections(options)).map(({ id }) => id))
        return [
          ...made.filter(({ id }) => now.has(id)),
          ...(await routing.connections(options)).filter(({ id }) => !made.some((peer) => peer.id === id))
        ]
      }
    }
  }),
  inRouting('disconnect does nothing', /connect makes a direct/, (routing) => ({
    disconnect: async (_id, options) => void (await routing.connections(options))
  })),
  inRouting('disconnect of who is not connected fails', /connect makes a direct/, (routing, node) => ({
    disconnect: async (id, options) => {
      if (id.startsWith('fake-') && !(await routing.connections(options)).some((peer) => peer.id === id))
        throw node.error('NOT_FOUND', 'routing.disconnect', 'not connected')
      await routing.disconnect(id, options)
    }
  })),
  inRouting('connect is only seen by the one who connects', /connect makes a direct/, (routing) => {
    const made = new Set<string>()
    return {
      connect: async (peer, options) => {
        await routing.connect(peer, options)
        made.add(peer.id)
      },
      connections: async (options) => (await routing.connections(options)).filter(({ id }) => made.has(id))
    }
  }),
  inRouting('connect to who is gone resolves', /nobody answers/, (routing, node) => ({
    connect: async (peer, options) => {
      if (node.run !== undefined && peer.id.startsWith('fake-') && !node.network.nodes.has(peer.id)) return
      await routing.connect(peer, options)
    }
  })),
  inRouting('connect to who is gone is NOT_FOUND', /nobody answers/, (routing, node) => ({
    connect: async (peer, options) => {
      if (node.run !== undefined && peer.id.startsWith('fake-') && !node.network.nodes.has(peer.id))
        throw node.error('NOT_FOUND', 'routing.connect', 'gone')
      await routing.connect(peer, options)
    }
  })),
  inRouting('findPeer of no id throws an error of the engine', /text that is no id/, (routing, node) => ({
    findPeer: async (id, options) => {
      if (node.run !== undefined && id === '') throw new TypeError('cannot read properties of undefined')
      return await routing.findPeer(id, options)
    }
  })),
  inRouting('connect to no address throws an error of the engine', /a text that is no address/, (routing, node) => ({
    connect: async (peer, options) => {
      if (node.run !== undefined && peer.id === '') throw new TypeError('cannot read properties of undefined')
      await routing.connect(peer, options)
    }
  }))
]
