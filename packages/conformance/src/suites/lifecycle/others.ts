import { Channel } from '../../kit/channel.ts'
import { check, equal } from '../../kit/check.ts'
import { routingOf } from '../../kit/parts.ts'
import { rawBlock, uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { works } from './calls.ts'

export const others: readonly Test[] = [
  {
    name: 'self() gives an id of its own and a bounded list of addresses',
    run: async (t) => {
      const network = await t.shared('trio')
      const infos = network.backends.map((backend) => backend.self())
      for (const { id, addresses } of infos) {
        check(typeof id === 'string' && id.length > 0, 'the id is a non-empty text', id)
        check(addresses.length <= 16, 'at most 16 addresses', addresses.length)
        check(
          addresses.every((address) => typeof address === 'string' && address.length <= 512),
          'each address is a text of at most 512 characters',
          addresses
        )
      }
      equal(new Set(infos.map(({ id }) => id)).size, infos.length, 'peers have different ids')
    }
  },
  {
    name: 'a restarted peer takes part again, and a subscription of another outlives its restart',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      await t.within('link() resolves', network.link())
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
    name: 'what a stopped peer leaves behind does not disturb the others',
    run: async (t) => {
      const network = await t.fresh(3)
      await t.within('all start', network.startAll())
      await t.within('link() resolves', network.link())
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
