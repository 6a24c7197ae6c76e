import { rejects, sameBytes } from '../../kit/check.ts'
import { blocksOf, put, selfOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'

export const hinted: readonly Test[] = [
  {
    name: 'providers is a hint: with a right one, a useless one and a hostile one get still finds the block',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const right = selfOf(network.at(1))
      const hints = [
        [right],
        [selfOf(network.at(2))],
        [selfOf(network.at(0))],
        [{ network: 'another', id: 'nobody', addresses: [] }, right],
        [{ network: right.network, id: 'nobody at all', addresses: ['not an address', '/ip4/127.0.0.1/tcp/1'] }, right],
        []
      ]
      for (const providers of hints) {
        const block = await rawBlock()
        await put(network.at(1), block)
        const bytes = await t.within(
          'get with a hint resolves',
          blocksOf(network.at(0)).get(block.cid, { providers, root: block.cid, signal: t.signal })
        )
        sameBytes(bytes, block.bytes, 'get with a hint gives the block')
      }
    }
  },
  {
    name: 'a hint that is no peer is INVALID_ARGUMENT',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      const { cid } = await rawBlock()
      const wrong = ['text', [{ id: 'x', addresses: [] }], [undefined], [{ network: 'x', id: '', addresses: [] }]]
      for (const providers of wrong)
        await rejects(() => blocksOf(backend).get(cid, { providers: providers as never, signal: t.signal }), {
          backend,
          operation: 'blocks.get',
          codes: ['INVALID_ARGUMENT']
        })
    }
  },
  {
    name: 'get follows a hint to a peer that it is not linked to',
    when: (c, fixture) => c.blocks?.remote === true && fixture.followsHints === true,
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const block = await rawBlock()
      await put(network.at(1), block)
      const bytes = await t.within(
        'get with a hint resolves without a link',
        blocksOf(network.at(0)).get(block.cid, { providers: network.at(1).self(), signal: t.signal })
      )
      sameBytes(bytes, block.bytes, 'get follows the hint')
    }
  }
]
