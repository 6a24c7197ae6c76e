import { check, equal, rejects } from '../../kit/check.ts'
import { routingOf } from '../../kit/parts.ts'
import type { Test } from '../../kit/test.ts'
import { poll } from '../../kit/time.ts'
import { has, provide, providersSoon, stored } from './calls.ts'

export const connections: readonly Test[] = [
  {
    name: 'an iteration of findProviders may be left early',
    when: has('provide', 'findProviders'),
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await stored(t, network, [0])
      await provide(t, network, 0, cid)
      await providersSoon(t, network, 1, cid, 1)
      const leave = async (): Promise<void> => {
        for await (const provider of routingOf(network.at(1)).findProviders(cid)) {
          check(provider.id.length > 0, 'a provider has an id', provider)
          break
        }
      }
      await t.within('leaving an iteration ends it', leave())
    }
  },
  {
    name: 'findPeer gives a peer by its id, and NOT_FOUND for one that nobody knows',
    when: has('findPeer'),
    run: async (t) => {
      const network = await t.shared('trio')
      const wanted = network.at(1).self()
      const found = await t.within(
        'findPeer of a peer resolves',
        routingOf(network.at(0)).findPeer(wanted.id, { signal: t.signal })
      )
      equal(found.id, wanted.id, 'findPeer gives the peer that was asked for')
      check(found.addresses.length > 0 && found.addresses.length <= 16, 'with 1 to 16 addresses', found.addresses)
      // Well-formed, and of another closed network: nobody here can know it.
      const stranger = (await t.shared('solo')).at(0).self().id
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
    name: 'connect makes a direct connection, connections lists it, disconnect ends it',
    when: has('connect'),
    run: async (t) => {
      const network = await t.shared('strangers')
      const [one, two] = [network.at(0), network.at(1)]
      const ids = async (): Promise<string[]> => (await routingOf(one).connections()).map(({ id }) => id)
      await t.within('connect resolves', routingOf(one).connect(two.self(), { signal: t.signal }))
      check((await ids()).includes(two.self().id), 'connections lists the connected peer', await ids())
      await t.within('connect to a connected peer resolves', routingOf(one).connect(two.self(), { signal: t.signal }))
      equal((await ids()).filter((id) => id === two.self().id).length, 1, 'a peer is listed once')
      check(!(await ids()).includes(one.self().id), 'a peer does not list itself', await ids())
      const both = await poll(t.remaining(), async () =>
        (await routingOf(two).connections()).some(({ id }) => id === one.self().id) ? true : undefined
      )
      equal(both, true, 'a connection is listed at both ends')
      // The other peer may connect again at once, which is its right: one moment without it is what counts.
      const gone = await poll(t.remaining(), async () => {
        await t.within('disconnect resolves', routingOf(one).disconnect(two.self().id))
        return (await ids()).includes(two.self().id) ? undefined : true
      })
      equal(gone, true, 'after disconnect the peer is not listed')
      await t.within('disconnect of a peer that is not connected resolves', routingOf(one).disconnect(two.self().id))
    }
  },
  {
    name: 'connect to addresses where nobody answers rejects with UNREACHABLE',
    when: has('connect'),
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const gone = network.at(1).self()
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
