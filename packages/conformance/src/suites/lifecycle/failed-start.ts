import { check, fail, rejects, wellFormed } from '../../kit/check.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'
import { everyCallIsRefused, works } from './calls.ts'

export const failedStarts: readonly Test[] = [
  {
    name: 'a start whose signal has fired rejects with ABORTED, leaves nothing running and may be tried again',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      await rejects(async () => await t.soon('start rejects at once', backend.start({ signal: AbortSignal.abort() })), {
        backend,
        operation: 'start',
        codes: ['ABORTED']
      })
      await everyCallIsRefused(t, backend)
      await t.within('a later start resolves', network.start(0))
      await works(t, backend)
    }
  },
  {
    name: 'a start that is aborted midway ends soon, and may be tried again',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      const controller = new AbortController()
      const starting = backend.start({ signal: controller.signal })
      controller.abort()
      const outcome = await t.soon('an aborted start ends', outcomeOf(starting))
      if ('error' in outcome) {
        wellFormed(outcome.error, { backend, operation: 'start', codes: ['ABORTED'] })
        await everyCallIsRefused(t, backend)
      }
      await t.within('a later start resolves', network.start(0))
      await works(t, backend)
    }
  },
  {
    name: 'an aborted start leaves another call of start alone',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      const controller = new AbortController()
      const gone = outcomeOf(backend.start({ signal: controller.signal }))
      const other = network.start(0)
      controller.abort()
      await t.within('the other start resolves', other)
      const outcome = await t.soon('the aborted start ends', gone)
      if ('error' in outcome) wellFormed(outcome.error, { backend, operation: 'start', codes: ['ABORTED'] })
      await works(t, backend)
    }
  },
  {
    name: 'a failed start leaves nothing running and may be tried again',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      const clear = await network.obstruct(0)
      if (clear === undefined) return
      const error = await t.within(
        'an obstructed start rejects',
        network.start(0).then(
          () => fail('an obstructed start rejects', 'it resolved'),
          (reason: unknown) => reason
        )
      )
      check(
        typeof error === 'object' && error !== null && 'backend' in error && error.backend === backend.name,
        'the error of a failed start names its backend',
        error
      )
      await everyCallIsRefused(t, backend)
      await clear()
      await t.within('a later start resolves', network.start(0))
      await works(t, backend)
    }
  }
]
