import { equal, wellFormed } from '../../kit/check.ts'
import { blocksOf, put, selfOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'
import { everyCallIsRefused, works } from './calls.ts'

export const states: readonly Test[] = [
  {
    name: 'before start every call rejects with NOT_RUNNING',
    run: async (t) => {
      const network = await t.fresh(1)
      await everyCallIsRefused(t, network.at(0))
    }
  },
  {
    name: 'start is idempotent, and concurrent calls share one start',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      const first = network.start(0)
      await t.within('a second concurrent start resolves', backend.start())
      await works(t, backend)
      await t.within('the first start resolves', first)
      const { id } = selfOf(backend)
      await t.within('start of a running backend resolves', backend.start())
      equal(selfOf(backend).id, id, 'a second start changes nothing')
      await works(t, backend)
      await t.within('one stop is enough for several starts', backend.stop())
      await everyCallIsRefused(t, backend)
    }
  },
  {
    name: 'stop is idempotent, before start, concurrently and after stop',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      await t.within('stop before start resolves', backend.stop())
      await network.start(0)
      await t.within('concurrent stops resolve', Promise.all([backend.stop(), backend.stop()]))
      await t.within('stop after stop resolves', backend.stop())
    }
  },
  {
    name: 'a stop whose signal fires rejects soon or resolves, and stops the backend in any case',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      for (const fired of [true, false]) {
        await network.start(0)
        const controller = new AbortController()
        if (fired) controller.abort()
        const stopping = outcomeOf(backend.stop({ signal: controller.signal }))
        controller.abort()
        const outcome = await t.soon('stop ends soon after its signal fired', stopping)
        if ('error' in outcome) wellFormed(outcome.error, { backend, operation: 'stop', codes: ['ABORTED'] })
        await everyCallIsRefused(t, backend)
        await t.within('a later stop resolves', backend.stop())
      }
      await t.within('start after stop resolves', network.start(0))
      await works(t, backend)
    }
  },
  {
    name: 'the engine is handed out while it runs only',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      equal(backend.engine, undefined, 'before start there is no engine')
      await network.start(0)
      await t.within('stop resolves', backend.stop())
      equal(backend.engine, undefined, 'after stop there is no engine')
    }
  },
  {
    name: 'after stop every call rejects with NOT_RUNNING',
    run: async (t) => {
      const network = await t.fresh(1)
      await network.start(0)
      const stopping = network.at(0).stop()
      // "After stop was called" means right after the call, not only after it has resolved.
      await everyCallIsRefused(t, network.at(0))
      await t.within('stop resolves', stopping)
      await everyCallIsRefused(t, network.at(0))
    }
  },
  {
    name: 'may be started again after stop; a persistent backend then has its content and its id',
    run: async (t) => {
      const network = await t.fresh(1)
      const backend = network.at(0)
      await network.start(0)
      const { id } = selfOf(backend)
      const block = await rawBlock()
      if (t.capabilities.blocks !== undefined) await put(backend, block)
      for (let round = 0; round < 2; round++) {
        await t.within('stop resolves', backend.stop())
        await t.within('start after stop resolves', network.start(0))
        await works(t, backend)
      }
      if (t.capabilities.blocks === undefined || t.capabilities.blocks.persistence === 'none') return
      equal(selfOf(backend).id, id, 'a persistent backend keeps its id over a restart')
      equal(await blocksOf(backend).has(block.cid), true, 'a persistent backend keeps its content over a restart')
    }
  }
]
