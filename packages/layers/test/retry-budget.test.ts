import { compose } from '@p2pl/core/backend'
import { seededRandom, withSeed } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { createRetryBudget, retry } from '../src/index.ts'
import { cid, failing, failure, fake, ManualClock } from './support.ts'

describe('a budget', () => {
  it('allows a share of the calls, and a few beside it', async () => {
    const clock = new ManualClock()
    const budget = createRetryBudget({ share: 0.1, minimum: 3, clock })
    for (let i = 0; i < 100; i++) budget.count()
    const taken = Array.from({ length: 20 }, () => budget.take()).filter(Boolean)
    expect(taken).toHaveLength(13)
  })

  it('forgets: after a quiet time the minimum is there again, and nothing more', async () => {
    const clock = new ManualClock()
    const budget = createRetryBudget({ share: 0.5, minimum: 2, clock })
    for (let i = 0; i < 1_000; i++) budget.count()
    while (budget.take());
    await clock.advance(1_000_000)
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
  })

  it('holds for every mix of calls and failures, however many attempts each call may make', async () => {
    await withSeed(1, async (seed) => {
      const random = seededRandom(seed)
      for (let round = 0; round < 20; round++) {
        const clock = new ManualClock()
        const [share, minimum, failures] = [random(), Math.floor(random() * 5), random()]
        let made = 0
        const has = async (): Promise<boolean> => {
          made++
          if (random() < failures) throw failure('UNREACHABLE')
          return true
        }
        const budget = createRetryBudget({ share, minimum, clock })
        const options = { attempts: 10, baseDelay: 0, budget }
        const { blocks } = compose(fake({ blocks: { has } }), retry(options))
        const calls = 1 + Math.floor(random() * 50)
        await Promise.allSettled(Array.from({ length: calls }, () => blocks!.has(cid)))
        expect(made).toBeLessThanOrEqual(calls + share * calls + minimum)
      }
    })
  })

  it('is shared: what one layer used up, the other does not have', async () => {
    const budget = createRetryBudget({ share: 0, minimum: 1, clock: new ManualClock() })
    const has = failing([failure('TIMEOUT'), failure('TIMEOUT'), failure('TIMEOUT')], true)
    const [a, b] = [0, 1].map(() => retry({ baseDelay: 0, budget })(fake({ blocks: { has } })).blocks!)
    await expect(a!.has(cid)).rejects.toMatchObject({ code: 'TIMEOUT', exhausted: true })
    expect(has.calls).toBe(2)
    await expect(b!.has(cid)).rejects.toMatchObject({ code: 'TIMEOUT', exhausted: true })
    expect(has.calls).toBe(3)
  })
})
