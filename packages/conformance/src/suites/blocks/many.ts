import { equal, rejects } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { present } from './declared.ts'

export const many: readonly Test[] = [
  {
    name: 'putMany stores every block of an array',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const array = await rawBlocks(700)
      const [again] = array
      await t.within('putMany resolves', blocks.putMany(again === undefined ? array : [...array, again]))
      await t.within('putMany of nothing resolves', blocks.putMany([]))
      const found = await Promise.all(array.map(async ({ cid }) => await blocks.has(cid)))
      equal(found.filter(Boolean).length, array.length, 'every block of putMany is stored when it resolves')
    }
  },
  {
    name: 'putMany of anything but an array of blocks is INVALID_ARGUMENT, and stores nothing',
    when: present,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const [block, other] = await rawBlocks(2)
      if (block === undefined || other === undefined) return
      const wrong = [new Set([block]), block, 'text', [block, undefined], [block, { cid: other.cid, bytes: 'text' }]]
      for (const given of wrong)
        await rejects(() => blocksOf(backend).putMany(given as never), {
          backend,
          operation: 'blocks.putMany',
          codes: ['INVALID_ARGUMENT']
        })
      equal(await blocksOf(backend).has(block.cid), false, 'a putMany that is refused stores nothing')
    }
  }
]
