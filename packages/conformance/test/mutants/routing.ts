import type { FakeBackend } from '../../src/fake/index.ts'
import { P2plError, type PeerInfo } from '@p2pl/core/backend'
import { peerInfo } from '../../src/fake/peer-info.ts'
import { declaring, failure, inRouting, runs, type Mutant } from './mutant.ts'

/** Whether there is a record of the peer. */
const provides = (node: FakeBackend): boolean =>
  [...node.network.records.values()].some((ids) => ids.has(node.store.id))

export const routingMutants: readonly Mutant[] = [
  inRouting(
    'records live for no time',
    /capabilities have the values/,
    () => ({}),
    declaring('routing', { recordLifetime: 0 })
  ),
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
      if (provides(node)) yield* node.self()
      yield* routing.findProviders(cid, options)
    }
  })),
  inRouting('finding no provider is an error', /finding no provider/, (routing) => ({
    findProviders: async function* (cid, options) {
      let count = 0
      for await (const peer of routing.findProviders(cid, options)) {
        count++
        yield peer
      }
      if (count === 0) throw failure('NOT_FOUND', 'routing.findProviders', 'nobody has it')
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
      if (!runs(node) || options?.signal?.aborted === true || (await routing.connections()).length > 0)
        await routing.provide(cid, options)
    }
  })),
  inRouting('providing alone never ends', /while alone/, (routing, node) => ({
    provide: async (cid, options) => {
      if (runs(node) && options?.signal?.aborted === false && (await routing.connections()).length === 0)
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
  inRouting('unprovide of what was not provided fails', /unprovide is not an error/, (routing, node) => ({
    unprovide: async (cid, options) => {
      if (runs(node) && !provides(node)) throw failure('NOT_FOUND', 'routing.unprovide', 'not provided')
      await routing.unprovide(cid, options)
      for (const ids of node.network.records.values()) ids.delete(node.store.id)
    }
  })),
  inRouting('what was unprovided cannot be provided again', /unprovide is not an error/, (routing) => {
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
      return node.self()[0]!
    }
  })),
  inRouting('findPeer gives no addresses', /findPeer gives a peer/, (routing) => ({
    findPeer: async (id, options) => ({ ...(await routing.findPeer(id, options)), addresses: [] })
  })),
  inRouting('findPeer believes in everybody', /findPeer gives a peer/, (routing, node) => ({
    findPeer: async (id, options) => {
      if (!runs(node) || options?.signal?.aborted === true || !id.startsWith('fake-'))
        return await routing.findPeer(id, options)
      return peerInfo(id)
    }
  })),
  inRouting('connections lists nobody', /connect makes a direct/, (routing) => ({
    connections: async (options) => (await routing.connections(options)).slice(0, 0)
  })),
  inRouting('connections lists the own peer', /connect makes a direct/, (routing, node) => ({
    connections: async (options) => [...(await routing.connections(options)), ...node.self()]
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
  inRouting('disconnect of who is not connected fails', /connect makes a direct/, (routing) => ({
    disconnect: async (id, options) => {
      if (id.startsWith('fake-') && !(await routing.connections(options)).some((peer) => peer.id === id))
        throw failure('NOT_FOUND', 'routing.disconnect', 'not connected')
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
      if (runs(node) && peer.id.startsWith('fake-') && !node.network.engines.has(peer.id)) return
      await routing.connect(peer, options)
    }
  })),
  inRouting('connect to who is gone is NOT_FOUND', /nobody answers/, (routing, node) => ({
    connect: async (peer, options) => {
      if (runs(node) && peer.id.startsWith('fake-') && !node.network.engines.has(peer.id))
        throw failure('NOT_FOUND', 'routing.connect', 'gone')
      await routing.connect(peer, options)
    }
  })),
  inRouting('findPeer of no id throws an error of the engine', /text that is no id/, (routing, node) => ({
    findPeer: async (id, options) => {
      if (runs(node) && id === 'nobody') throw new TypeError('cannot read properties of undefined')
      return await routing.findPeer(id, options)
    }
  })),
  inRouting('connect to no address throws an error of the engine', /a text that is no address/, (routing, node) => ({
    connect: async (peer, options) => {
      if (runs(node) && peer?.id === 'nobody') throw new TypeError('cannot read properties of undefined')
      await routing.connect(peer, options)
    }
  })),
  inRouting('connect to itself resolves', /connect to itself is/, (routing, node) => ({
    connect: async (peer, options) => {
      if (peer?.id !== node.store.id || !runs(node)) await routing.connect(peer, options)
    }
  })),
  inRouting('connect ignores the network of a peer', /connect to itself is/, (routing) => ({
    connect: async (peer, options) => await routing.connect({ ...peer, network: 'fake' }, options)
  })),
  inRouting('parseAddress throws', /parseAddress reads/, () => ({
    parseAddress: (text) => {
      throw new TypeError(`no address: ${text}`)
    }
  })),
  inRouting('parseAddress takes any text', /parseAddress reads/, () => ({ parseAddress: (text) => peerInfo(text) })),
  inRouting('parseAddress names another network', /parseAddress reads/, (routing) => ({
    parseAddress: (text) => {
      const peer = routing.parseAddress(text)
      return peer && { ...peer, network: 'memory' }
    }
  })),
  inRouting('a limit of 0 finds nobody', /a limit below 1/, (routing) => ({
    findProviders: (cid, options) =>
      options?.limit === 0 ? (async function* () {})() : routing.findProviders(cid, options)
  })),
  inRouting('a provider names another network', /providers are distinct/, (routing) => ({
    findProviders: async function* (cid, options) {
      for await (const peer of routing.findProviders(cid, options)) yield { ...peer, network: 'memory' }
    }
  }))
]
