import { check, equal, rejects, show } from '../../kit/check.ts'
import { routingOf, selfOf } from '../../kit/parts.ts'
import { uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { poll, turn } from '../../kit/time.ts'
import { has } from './calls.ts'

export const connections: readonly Test[] = [
  {
    name: 'findPeer gives a peer by its id, and NOT_FOUND for one that nobody knows',
    when: has('findPeer'),
    run: async (t) => {
      const network = await t.shared('trio')
      const wanted = selfOf(network.at(1))
      const found = await t.within(
        'findPeer of a peer resolves',
        routingOf(network.at(0)).findPeer(wanted.id, { signal: t.signal })
      )
      equal(found.id, wanted.id, 'findPeer gives the peer that was asked for')
      equal(found.network, wanted.network, 'findPeer names the network of the peer')
      check(found.addresses.length > 0 && found.addresses.length <= 16, 'with 1 to 16 addresses', found.addresses)
      // A well-formed id from another closed network, so nobody here can know it.
      const stranger = selfOf((await t.shared('solo')).at(0)).id
      const backend = network.at(0)
      await t.within(
        'findPeer of a stranger rejects',
        rejects(() => routingOf(backend).findPeer(stranger, { signal: t.signal }), {
          backend,
          operation: 'routing.findPeer',
          codes: ['NOT_FOUND']
        })
      )
    }
  },
  {
    name: 'connect makes a direct connection, connections lists it, disconnect ends it, and events tell of both',
    when: has('connect'),
    run: async (t) => {
      const network = await t.shared('strangers')
      const [one, two] = [network.at(0), network.at(1)]
      const ids = async (): Promise<string[]> => (await routingOf(one).connections()).map(({ id }) => id)
      const controller = new AbortController()
      await t.within('connect resolves', routingOf(one).connect(selfOf(two), { signal: controller.signal }))
      controller.abort()
      await turn()
      check(
        (await ids()).includes(selfOf(two).id),
        'connections lists the connected peer, also after the signal of connect has fired',
        await ids()
      )
      await t.within('connect to a connected peer resolves', routingOf(one).connect(selfOf(two), { signal: t.signal }))
      equal((await ids()).filter((id) => id === selfOf(two).id).length, 1, 'a peer is listed once')
      check(!(await ids()).includes(selfOf(one).id), 'a peer does not list itself', await ids())
      const both = await poll(t.remaining(), async () =>
        (await routingOf(two).connections()).some(({ id }) => id === selfOf(one).id) ? true : undefined
      )
      equal(both, true, 'a connection is listed at both ends')
      const told = (type: 'peer:connect' | 'peer:disconnect'): boolean =>
        network.events[0]?.some((event) => event.type === type && 'id' in event && event.id === selfOf(two).id) === true
      const made = await poll(t.remaining() / 2, async () => (told('peer:connect') ? true : undefined))
      check(made === true, 'an event tells that a direct connection was made', network.events[0])
      // The other peer has the right to connect again at once. One moment without the connection is enough.
      const gone = await poll(t.remaining(), async () => {
        await t.within('disconnect resolves', routingOf(one).disconnect(selfOf(two).id))
        return (await ids()).includes(selfOf(two).id) ? undefined : true
      })
      equal(gone, true, 'after disconnect the peer is not listed')
      // An adapter that polls its engine does not notice a brief disconnection.
      const lost = await poll(t.remaining(), async () => {
        if (told('peer:disconnect')) return true
        await t.within('disconnect resolves', routingOf(one).disconnect(selfOf(two).id))
        return undefined
      })
      check(lost === true, 'an event tells that a direct connection was lost', network.events[0])
      await t.within('disconnect of a peer that is not connected resolves', routingOf(one).disconnect(selfOf(two).id))
    }
  },
  {
    name: 'connect to itself is INVALID_ARGUMENT, and to a peer of another network UNSUPPORTED',
    when: has('connect'),
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const expected = { backend, operation: 'routing.connect' }
      await rejects(() => routingOf(backend).connect(selfOf(backend), { signal: t.signal }), {
        ...expected,
        codes: ['INVALID_ARGUMENT']
      })
      const foreign = { ...selfOf(backend), network: uniqueName('network') }
      await rejects(() => routingOf(backend).connect(foreign, { signal: t.signal }), {
        ...expected,
        codes: ['UNSUPPORTED']
      })
    }
  },
  {
    name: 'parseAddress reads addresses of the engine, gives undefined for any other text, and never throws',
    when: (c) => c.routing !== undefined,
    run: async (t) => {
      const network = await t.shared('trio')
      const { addresses, id, network: name } = selfOf(network.at(1))
      for (const address of addresses) {
        const parsed = routingOf(network.at(0)).parseAddress(address)
        if (parsed === undefined) continue
        equal(parsed.network, name, 'parseAddress names the network')
        check(parsed.addresses.length > 0, 'parseAddress gives an address to dial', parsed)
        if (address.includes(id)) equal(parsed.id, id, 'parseAddress gives the id that the address names')
      }
      for (const text of ['', ' ', 'no address of any engine', '\u0000', '🙂'.repeat(300), '/', ':', '__proto__'])
        equal(routingOf(network.at(0)).parseAddress(text), undefined, `parseAddress(${show(text)}) gives undefined`)
    }
  },
  {
    name: 'connect to addresses where nobody answers rejects with UNREACHABLE',
    when: has('connect'),
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const gone = selfOf(network.at(1))
      await t.within('one stops', network.at(1).stop())
      const backend = network.at(0)
      await t.within(
        'connect to a peer that is gone rejects',
        rejects(() => routingOf(backend).connect(gone, { signal: t.signal }), {
          backend,
          operation: 'routing.connect',
          codes: ['UNREACHABLE']
        })
      )
    }
  }
]
