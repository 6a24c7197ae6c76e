import type { CID } from 'multiformats/cid'
import { check, equal, rejects } from '../../kit/check.ts'
import { idsOf, routingOf, selfOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect, poll } from '../../kit/time.ts'
import { has, provide, providers, providersSoon, stored } from './calls.ts'

export const records: readonly Test[] = [
  {
    name: 'the peer that provided is found by others',
    when: has('provide', 'findProviders'),
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await stored(t, network, [0])
      await provide(t, network, 0, cid)
      for (const seeker of [1, 2]) {
        const found = await providersSoon(t, network, seeker, cid, [0])
        check(
          found.every(({ id }) => idsOf(network.at(0)).includes(id)),
          'only the peer that provided is listed',
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
      await providersSoon(t, network, 1, (cid.constructor as typeof CID).createV1(0x71, cid.multihash), [0])
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
      const found = await providersSoon(t, network, 2, cid, [0, 1])
      equal(new Set(found.map(({ id }) => id)).size, found.length, 'each provider is listed once')
      const peers = [0, 1].map((index) => idsOf(network.at(index)))
      check(
        found.every(({ id }) => peers.some((ids) => ids.includes(id))),
        'only the peers that provided are listed',
        found
      )
      // A search may miss a peer that does not answer in time.
      const one = await poll(t.remaining() / 2, async () => {
        const list = await providers(t, network, 2, cid, 1)
        return list.length > 0 ? list : undefined
      })
      equal(one?.length, 1, 'limit: 1 gives one provider')
      const names = network
        .at(2)
        .self()
        .map((self) => self.network)
      check(
        found.every((peer) => names.includes(peer.network)),
        'a provider names its network',
        found
      )
    }
  },
  {
    name: 'a peer does not list itself',
    when: has('provide', 'findProviders'),
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await stored(t, network, [0, 1])
      await provide(t, network, 0, cid)
      await provide(t, network, 1, cid)
      const found = await providersSoon(t, network, 0, cid, [1])
      check(
        found.every(({ id }) => id !== selfOf(network.at(0)).id),
        'findProviders does not list the own peer',
        found
      )
    }
  },
  {
    name: 'a limit below 1 or with a fraction is INVALID_ARGUMENT',
    when: has('findProviders'),
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      const { cid } = await rawBlock()
      for (const limit of [0, -1, 1.5, NaN, '3'])
        await rejects(() => collect(() => routingOf(backend).findProviders(cid, { limit: limit as number })), {
          backend,
          operation: 'routing.findProviders',
          codes: ['INVALID_ARGUMENT']
        })
    }
  },
  {
    name: 'finding no provider is an empty iteration',
    when: has('findProviders'),
    run: async (t) => {
      const network = await t.shared('trio')
      const { cid } = await rawBlock()
      equal((await providers(t, network, 0, cid)).length, 0, 'nobody is listed for a block without a record')
    }
  },
  {
    name: 'an iteration of findProviders may be left early',
    when: has('provide', 'findProviders'),
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await stored(t, network, [0])
      await provide(t, network, 0, cid)
      await providersSoon(t, network, 1, cid, [0])
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
    name: 'unprovide is not an error when nothing was provided, and provide works again after it',
    when: has('provide', 'unprovide'),
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await stored(t, network, [0])
      await t.within('unprovide of a block that was not provided resolves', routingOf(network.at(0)).unprovide(cid))
      await provide(t, network, 0, cid)
      await t.within('unprovide resolves', routingOf(network.at(0)).unprovide(cid))
      await t.within('a second unprovide resolves', routingOf(network.at(0)).unprovide(cid))
      await provide(t, network, 0, cid)
      await providersSoon(t, network, 1, cid, [0])
    }
  }
]
