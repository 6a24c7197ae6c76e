import { Channel } from '../../kit/channel.ts'
import { check, equal } from '../../kit/check.ts'
import { routingOf } from '../../kit/parts.ts'
import { rawBlock, uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { works } from './calls.ts'

export const others: readonly Test[] = [
  {
    name: 'self() gives an id of its own on each network, and a bounded list of addresses',
    run: async (t) => {
      const network = await t.shared('trio')
      const lists = network.backends.map((backend) => backend.self())
      for (const list of lists) {
        check(list.length > 0, 'self() names the backend on a network', list)
        const names = list.map((peer) => `${peer.network} ${peer.id}`)
        equal(new Set(names).size, names.length, 'self() has each of its entries once')
        for (const { network: name, id, addresses } of list) {
          check(typeof name === 'string' && name.length > 0, 'the network is a non-empty text', name)
          check(typeof id === 'string' && id.length > 0 && id.length <= 512, 'the id is a text', id)
          check(addresses.length <= 16, 'at most 16 addresses', addresses.length)
          check(
            addresses.every((address) => typeof address === 'string' && address.length <= 512),
            'each address is a text of at most 512 characters',
            addresses
          )
        }
      }
      const names = lists.map((list) => list.map((peer) => peer.network).join(' '))
      equal(new Set(names).size, 1, 'backends that reach each other name the same networks')
      const ids = lists.flatMap((list) => list.map((peer) => `${peer.network} ${peer.id}`))
      equal(new Set(ids).size, ids.length, 'peers have different ids')
    }
  },
  {
    name: 'a restarted peer takes part again, and a subscription of another outlives its restart',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.linked(2)
      const channel = await Channel.open(t, network, { publishers: [1], subscribers: [0] })
      await t.within('one stops', network.at(1).stop())
      await t.within('it starts again', network.start(1))
      await t.within('link() after a restart resolves', network.link())
      await channel.warm(1, [0])
      await channel.deliver(1, () => uniqueBytes(32), [0])
      await channel.subscribe(1)
      await channel.warm(0, [1])
    }
  },
  {
    name: 'a stopped peer does not disturb the others',
    run: async (t) => {
      const network = await t.linked(3)
      await t.within('one stops', network.at(2).stop())
      for (const index of [0, 1]) await works(t, network.at(index))
      if (t.capabilities.routing !== undefined && t.capabilities.routing.findProviders !== 'none') {
        const { cid } = await rawBlock()
        await t.within(
          'a search goes on without it',
          collect(() => routingOf(network.at(0)).findProviders(cid, { signal: t.signal }))
        )
      }
      await t.within('it starts again', network.start(2))
      await t.within('link() after a restart resolves', network.link())
      await works(t, network.at(2))
    }
  }
]
