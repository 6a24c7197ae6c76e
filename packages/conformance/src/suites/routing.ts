import type { PeerInfo, RoutingCapabilities, Capabilities } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { check, equal, rejects } from '../kit/check.ts'
import { blocksOf, routingOf, type Network, type Suite, type TestRun } from '../kit/kit.ts'
import { rawBlock } from '../kit/samples.ts'
import { collect, poll } from '../kit/time.ts'

const has =
  (...features: (keyof RoutingCapabilities)[]) =>
  (c: Capabilities): boolean =>
    c.routing !== undefined && features.every((feature) => c.routing?.[feature] !== 'none')

/** The CID of a block that is stored at each of the participants, for engines that provide only what they have. */
async function stored(t: TestRun, network: Network, indexes: readonly number[]): Promise<CID> {
  const block = await rawBlock()
  for (const index of indexes) if (t.capabilities.blocks !== undefined) await blocksOf(network.at(index)).put(block)
  return block.cid
}

async function provide(t: TestRun, network: Network, index: number, cid: CID): Promise<void> {
  await t.within('provide resolves', routingOf(network.at(index)).provide(cid, { signal: t.signal }))
}

async function providers(t: TestRun, network: Network, index: number, cid: CID, limit?: number): Promise<PeerInfo[]> {
  return await t.within(
    'findProviders ends',
    collect(() => routingOf(network.at(index)).findProviders(cid, { limit, signal: t.signal }))
  )
}

/** Asks until `count` are found: a record may need a moment to reach those who are asked. */
async function providersSoon(
  t: TestRun,
  network: Network,
  index: number,
  cid: CID,
  count: number
): Promise<PeerInfo[]> {
  let found: PeerInfo[] = []
  await poll(t.remaining() / 2, async () => {
    found = await providers(t, network, index, cid)
    return found.length >= count ? found : undefined
  })
  check(found.length >= count, `findProviders finds ${count} that provided`, found)
  return found
}

export const routing: Suite = {
  name: 'routing',
  tests: [
    {
      name: 'recordLifetime is a positive number of milliseconds',
      when: (c) => c.routing !== undefined,
      run: async (t) => {
        const lifetime = t.capabilities.routing?.recordLifetime ?? 0
        check(lifetime > 0, 'recordLifetime is positive', lifetime)
        await t.shared('trio')
      }
    },
    {
      name: 'who provided is found by others',
      when: has('provide', 'findProviders'),
      run: async (t) => {
        const network = await t.shared('trio')
        const cid = await stored(t, network, [0])
        await provide(t, network, 0, cid)
        for (const seeker of [1, 2]) {
          const found = await providersSoon(t, network, seeker, cid, 1)
          check(
            found.every(({ id }) => id === network.at(0).self().id),
            'only who provided is listed',
            found
          )
          check(
            found.every(({ addresses }) => addresses.length <= 16 && addresses.every((text) => text.length <= 512)),
            'the addresses of a provider are bounded',
            found
          )
        }
      }
    },
    {
      name: 'provider records are by multihash',
      when: has('provide', 'findProviders'),
      run: async (t) => {
        const network = await t.shared('trio')
        const cid = await stored(t, network, [0])
        await provide(t, network, 0, cid)
        await providersSoon(t, network, 1, (cid.constructor as typeof CID).createV1(0x71, cid.multihash), 1)
      }
    },
    {
      name: 'providers are distinct, and limit bounds them',
      when: has('provide', 'findProviders'),
      run: async (t) => {
        const network = await t.shared('trio')
        const cid = await stored(t, network, [0, 1])
        await provide(t, network, 0, cid)
        await provide(t, network, 0, cid)
        await provide(t, network, 1, cid)
        const found = await providersSoon(t, network, 2, cid, 2)
        equal(new Set(found.map(({ id }) => id)).size, found.length, 'each provider is listed once')
        equal(found.length, 2, 'all providers are listed')
        equal((await providers(t, network, 2, cid, 1)).length, 1, 'limit: 1 gives one provider')
      }
    },
    {
      name: 'the own participant is not listed',
      when: has('provide', 'findProviders'),
      run: async (t) => {
        const network = await t.shared('trio')
        const cid = await stored(t, network, [0, 1])
        await provide(t, network, 0, cid)
        await provide(t, network, 1, cid)
        const found = await providersSoon(t, network, 0, cid, 1)
        check(
          found.every(({ id }) => id !== network.at(0).self().id),
          'findProviders does not list the own participant',
          found
        )
      }
    },
    {
      name: 'finding no provider is an empty iteration',
      when: has('findProviders'),
      run: async (t) => {
        const network = await t.shared('trio')
        const { cid } = await rawBlock()
        equal((await providers(t, network, 0, cid)).length, 0, 'nobody is listed for what nobody provided')
      }
    },
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
      name: 'providing while alone rejects with the retryable NO_PEERS',
      when: has('provide'),
      run: async (t) => {
        const network = await t.shared('solo')
        const backend = network.at(0)
        const cid = await stored(t, network, [0])
        const error = await t.within(
          'provide while alone rejects',
          rejects(() => routingOf(backend).provide(cid, { signal: t.signal }), {
            backend,
            operation: 'routing.provide',
            codes: ['NO_PEERS']
          })
        )
        equal(error.retryable, true, 'NO_PEERS is retryable')
      }
    },
    {
      name: 'unprovide ends the renewal, and is not an error when nothing was provided',
      when: has('provide', 'unprovide'),
      run: async (t) => {
        const network = await t.shared('trio')
        const cid = await stored(t, network, [0])
        await t.within('unprovide of what was not provided resolves', routingOf(network.at(0)).unprovide(cid))
        await provide(t, network, 0, cid)
        await t.within('unprovide resolves', routingOf(network.at(0)).unprovide(cid))
        await t.within('a second unprovide resolves', routingOf(network.at(0)).unprovide(cid))
        await provide(t, network, 0, cid)
        await providersSoon(t, network, 1, cid, 1)
      }
    },
    {
      name: 'findPeer gives a participant by its id, and NOT_FOUND for one that nobody knows',
      when: has('findPeer'),
      run: async (t) => {
        const network = await t.shared('trio')
        const wanted = network.at(1).self()
        const found = await t.within(
          'findPeer of a participant resolves',
          routingOf(network.at(0)).findPeer(wanted.id, { signal: t.signal })
        )
        equal(found.id, wanted.id, 'findPeer gives the participant that was asked for')
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
        check((await ids()).includes(two.self().id), 'connections lists who was connected', await ids())
        await t.within('connect to who is connected resolves', routingOf(one).connect(two.self(), { signal: t.signal }))
        equal((await ids()).filter((id) => id === two.self().id).length, 1, 'a participant is listed once')
        check(!(await ids()).includes(one.self().id), 'the own participant is not listed', await ids())
        const both = await poll(t.remaining(), async () =>
          (await routingOf(two).connections()).some(({ id }) => id === one.self().id) ? true : undefined
        )
        equal(both, true, 'a connection is listed at both ends')
        // The other participant may connect again at once, which is its right: one moment without it is what counts.
        const gone = await poll(t.remaining(), async () => {
          await t.within('disconnect resolves', routingOf(one).disconnect(two.self().id))
          return (await ids()).includes(two.self().id) ? undefined : true
        })
        equal(gone, true, 'after disconnect the participant is not listed')
        await t.within('disconnect of who is not connected resolves', routingOf(one).disconnect(two.self().id))
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
          'connect to who is gone rejects',
          rejects(() => routingOf(backend).connect(gone, { signal: t.signal }), {
            backend,
            operation: 'routing.connect',
            codes: ['UNREACHABLE']
          })
        )
      }
    }
  ]
}
