import { anyError, check, equal, fail, rejects } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { rawBlock, rawBlocks } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, largestTried, present } from './declared.ts'

export const many: readonly Test[] = [
  {
    name: 'putMany stores all blocks of an array, an iterable and an async iterable',
    when: present,
    run: async (t) => {
      const blocks = blocksOf((await t.shared('solo')).at(0))
      const groups = [await rawBlocks(100), await rawBlocks(300), await rawBlocks(300)] as const
      await t.within('putMany of an array resolves', blocks.putMany(groups[0], { signal: t.signal }))
      await t.within('putMany of an iterable resolves', blocks.putMany(new Set(groups[1]), { signal: t.signal }))
      const slowly = async function* (): AsyncGenerator<(typeof groups)[2][number]> {
        for (const block of groups[2]) {
          await Promise.resolve()
          yield block
        }
      }
      await t.within('putMany of an async iterable resolves', blocks.putMany(slowly(), { signal: t.signal }))
      await t.within('putMany of nothing resolves', blocks.putMany([]))
      const found = await Promise.all(groups.flat().map(async ({ cid }) => await blocks.has(cid)))
      equal(found.filter(Boolean).length, 700, 'every block of putMany is stored when it resolves')
    }
  },
  {
    name: 'putMany of an iterable that fails rejects with a typed error that has its reason, and ends the iterable',
    when: present,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const reason = new Error('the source failed')
      const failing = async function* (): AsyncGenerator<Awaited<ReturnType<typeof rawBlock>>> {
        yield await rawBlock()
        throw reason
      }
      const rejection = await t.within(
        'putMany of a failing iterable rejects',
        blocksOf(backend)
          .putMany(failing())
          .then(
            () => fail('putMany of a failing iterable rejects', 'it resolved'),
            (error: unknown) => error
          )
      )
      const error = anyError(rejection, backend, 'blocks.putMany')
      check(error.cause === reason, 'the reason of the iterable is the cause of the error', error.cause)
      let ended = false
      const tooLarge = await rawBlock(Math.min(declared(t).maxBlockBytes, largestTried) + 1)
      if (declared(t).maxBlockBytes > largestTried) return
      const endless = function* (): Generator<typeof tooLarge> {
        try {
          for (;;) yield tooLarge
        } finally {
          ended = true
        }
      }
      await rejects(async () => await t.within('putMany rejects', blocksOf(backend).putMany(endless())), {
        backend,
        operation: 'blocks.putMany',
        codes: ['TOO_LARGE']
      })
      equal(ended, true, 'putMany ends the iterable when it fails')
    }
  }
]
