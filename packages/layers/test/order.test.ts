import { compose, type Layer, sleep } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { cache, circuitBreaker, concurrency, createRetryBudget, retry, timeout } from '../src/index.ts'
import { block, cid, failure, fake, ManualClock, never, outcome } from './support.ts'

// The table of the README: each pair of layers in the right order, and what goes wrong in the other one.

const clock = (): ManualClock => new ManualClock()

/** `inner` next to the engine and `outer` around it, then the other way round. */
const orders = (inner: () => Layer, outer: () => Layer): { right: Layer[]; wrong: Layer[] } => ({
  right: [inner(), outer()],
  wrong: [outer(), inner()]
})

describe('the order of layers', () => {
  it('timeout inside retry: an attempt that hangs is followed by another', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<unknown> => {
      const time = clock()
      let calls = 0
      const has = async (): Promise<boolean> => (++calls === 1 ? await never<boolean>() : true)
      const layers = orders(
        () => timeout({ store: 1_000, clock: time }),
        () => retry({ baseDelay: 0, clock: time })
      )
      const result = outcome(compose(fake({ blocks: { has } }), ...layers[pick]).blocks!.has(cid))
      await time.advance(10_000)
      return result.state
    }
    expect(await run('right')).toBe('ok')
    expect(await run('wrong')).toBe('error')
  })

  it('circuitBreaker inside retry: the circuit opens after the failures that it was made for', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<number> => {
      let calls = 0
      const has = async (): Promise<never> => {
        calls++
        throw failure('UNREACHABLE')
      }
      const layers = orders(
        () => circuitBreaker({ minCalls: 5, clock: clock() }),
        () => retry({ attempts: 3, baseDelay: 0, budget: createRetryBudget({ share: 1, minimum: 100 }) })
      )
      const { blocks } = compose(fake({ blocks: { has } }), ...layers[pick])
      for (let i = 0; i < 20; i++) await blocks!.has(cid).catch(() => undefined)
      return calls
    }
    expect(await run('right')).toBe(5)
    expect(await run('wrong')).toBe(15)
  })

  it('circuitBreaker inside concurrency: a queue that is full here says nothing about the backend', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<unknown> => {
      const time = clock()
      const has = async (): Promise<boolean> => {
        await sleep(100, { clock: time })
        return true
      }
      const layers = orders(
        () => circuitBreaker({ clock: time }),
        () => concurrency({ limit: 1, queue: 0 })
      )
      const { blocks } = compose(fake({ blocks: { has } }), ...layers[pick])
      const burst = Array.from({ length: 10 }, () => outcome(blocks!.has(cid)))
      await time.advance(100)
      expect(burst.filter(({ state }) => state === 'error')).toHaveLength(9)
      const later = outcome(blocks!.has(cid))
      await time.advance(100)
      return later.state
    }
    expect(await run('right')).toBe('ok')
    expect(await run('wrong')).toBe('error')
  })

  it('timeout inside concurrency: time in the queue is not the time of the backend', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<number> => {
      const time = clock()
      const has = async (): Promise<boolean> => {
        await sleep(100, { clock: time })
        return true
      }
      const layers = orders(
        () => timeout({ store: 250, clock: time }),
        () => concurrency({ limit: 1 })
      )
      const { blocks } = compose(fake({ blocks: { has } }), ...layers[pick])
      const calls = Array.from({ length: 10 }, () => outcome(blocks!.has(cid)))
      await time.advance(2_000)
      return calls.filter(({ state }) => state === 'ok').length
    }
    expect(await run('right')).toBe(10)
    expect(await run('wrong')).toBe(2)
  })

  it('concurrency inside retry: a call that waits for its next attempt holds no slot', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<unknown> => {
      const time = clock()
      let calls = 0
      const has = async (): Promise<boolean> => {
        if (++calls === 1) throw failure('UNREACHABLE')
        return true
      }
      const layers = orders(
        () => concurrency({ limit: 1 }),
        () => retry({ baseDelay: 5_000, jitter: 0, clock: time })
      )
      const { blocks } = compose(fake({ blocks: { has } }), ...layers[pick])
      const first = outcome(blocks!.has(cid))
      const second = outcome(blocks!.has(cid))
      await time.advance(1_000)
      expect(first.state).toBe('pending')
      return second.state
    }
    expect(await run('right')).toBe('ok')
    expect(await run('wrong')).toBe('pending')
  })

  it('concurrency inside cache: a block that is in memory waits for nobody', async () => {
    const run = async (pick: 'right' | 'wrong'): Promise<unknown> => {
      let calls = 0
      const get = async (): Promise<Uint8Array> => (++calls === 1 ? block.bytes : await never<Uint8Array>())
      const layers = orders(
        () => concurrency({ limit: 1 }),
        () => cache()
      )
      const { blocks } = compose(fake({ blocks: { get } }), ...layers[pick])
      await blocks!.get(cid)
      void blocks!.get(cid, { remote: true }).catch(() => undefined)
      const hit = outcome(blocks!.get(cid))
      await clock().advance(0)
      return hit.state
    }
    expect(await run('right')).toBe('ok')
    expect(await run('wrong')).toBe('pending')
  })
})
