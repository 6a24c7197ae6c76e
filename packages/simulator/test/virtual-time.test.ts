import { isP2plError } from '@p2pl/core/backend'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latencySampler } from '../src/network/latency.ts'
import { EventQueue } from '../src/time/queue.ts'
import { createRandom, createSimulator } from '../src/index.ts'

describe('the event queue', () => {
  it('gives events by time and order, without the cancelled ones', () => {
    const times = fc.array(fc.record({ at: fc.nat(50), cancelled: fc.boolean() }), { maxLength: 3000, size: 'max' })
    fc.assert(
      fc.property(times, (wanted) => {
        const queue = new EventQueue()
        const events = wanted.map(({ at }) => ({ at, order: 0, cancelled: false, run: () => true }))
        for (const event of events) queue.push(event)
        events.forEach((event, i) => {
          if (wanted[i]!.cancelled) queue.cancel(event)
        })
        const expected = events.filter((_, i) => !wanted[i]!.cancelled)
        expect(queue.size).toBe(expected.length)
        const given = []
        while (queue.nextAt() !== Infinity) given.push(queue.pop())
        const sorted = expected.toSorted((a, b) => a.at - b.at || a.order - b.order)
        expect(given.every((event, i) => event === sorted[i]) && given.length === sorted.length).toBe(true)
        expect(queue.size).toBe(0)
      }),
      { numRuns: 60, seed: 7 }
    )
  })

  it('does not keep cancelled timers for ever', () => {
    const queue = new EventQueue()
    for (let i = 0; i < 100_000; i++) {
      const event = { at: 1e9, order: 0, cancelled: false, run: () => true }
      queue.push(event)
      queue.cancel(event)
    }
    expect(queue.size).toBe(0)
    expect(queue.length).toBeLessThan(3000)
  })
})

describe('latencies', () => {
  it('have the distribution that was asked for', () => {
    const draw = (latency: Parameters<typeof latencySampler>[0]): number[] => {
      const [sample, random] = [latencySampler(latency), createRandom(1)]
      return Array.from({ length: 20_000 }, () => sample(random)).sort((a, b) => a - b)
    }
    const at = (sorted: number[], quantile: number): number => sorted[Math.floor(quantile * (sorted.length - 1))]!
    expect(new Set(draw(30))).toEqual(new Set([30]))
    const uniform = draw({ min: 10, max: 20 })
    expect(at(uniform, 0)).toBeGreaterThanOrEqual(10)
    expect(at(uniform, 1)).toBeLessThanOrEqual(20)
    expect(at(uniform, 0.5)).toBeCloseTo(15, 0)
    const logNormal = draw({ median: 40, sigma: 0.5 })
    expect(at(logNormal, 0.5) / 40).toBeCloseTo(1, 1)
    // One standard deviation up: the median times e to the sigma.
    expect(at(logNormal, 0.8413) / (40 * Math.exp(0.5))).toBeCloseTo(1, 1)
  })

  it('are refused when they make no sense', () => {
    for (const latency of [-1, NaN, { min: 5, max: 4 }, { median: 1, sigma: -1 }])
      expect(() => createSimulator({ seed: 1, latency })).toThrow('latency')
  })
})

describe('a simulator', () => {
  it('refuses options that make no sense', () => {
    for (const options of [
      { seed: undefined },
      { bandwidth: 0 },
      { mesh: { degree: 1 } },
      { loss: 1.1 },
      { duplicate: -1 }
    ])
      expect(() => createSimulator({ seed: 1, ...(options as object) })).toThrow(
        expect.toSatisfy((error) => isP2plError(error, 'INVALID_ARGUMENT'))
      )
  })
})

describe('virtual time', () => {
  it('moves only after microtasks and ticks have settled, however deep', async () => {
    const simulator = createSimulator({ seed: 1 })
    const log: string[] = []
    const chain = async (name: string): Promise<void> => {
      for (let i = 0; i < 500; i++) {
        await Promise.resolve()
        if (i % 3 === 0) await new Promise<void>((resolve) => process.nextTick(resolve))
        if (i % 7 === 0) await new Promise<void>((resolve) => queueMicrotask(resolve))
      }
      log.push(`${name} at ${simulator.now}`)
    }
    simulator.after(5, () => void chain('a'))
    simulator.after(6, () => void chain('b'))
    simulator.after(6, () => log.push('c'))
    await simulator.run({ for: 10 })
    expect(log).toEqual(['a at 5', 'c', 'b at 6'])
    expect(simulator.now).toBe(10)
  })

  it('is not real time', async () => {
    const simulator = createSimulator({ seed: 1, epoch: 1000 })
    const year = 365 * 86_400_000
    let fired = 0
    simulator.clock.setTimeout(() => fired++, year)
    const dropped = simulator.clock.setTimeout(() => (fired += 100), 5)
    simulator.clock.clearTimeout(dropped)
    simulator.clock.clearTimeout(undefined)
    await simulator.run({ for: year - 1 })
    expect(fired).toBe(0)
    await simulator.run({ for: 1 })
    expect(fired).toBe(1)
    expect([simulator.clock.now(), simulator.clock.wall()]).toEqual([year, 1000 + year])
  })

  it('stands still for turns of the event loop, which come when everything else has settled', async () => {
    const simulator = createSimulator({ seed: 1 })
    const log: string[] = []
    const settling = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) await Promise.resolve()
      log.push(`${name} ${simulator.now}`)
    }
    simulator.after(5, async () => {
      simulator.clock.nextTurn(() => {
        log.push(`turn ${simulator.now}`)
        void settling('of the turn')
        simulator.clock.nextTurn(() => log.push(`next turn ${simulator.now}`))
      })
      await settling('promise')
    })
    simulator.after(5, () => log.push(`event ${simulator.now}`))
    await simulator.run({ for: 10 })
    expect(log).toEqual(['event 5', 'promise 5', 'turn 5', 'of the turn 5', 'next turn 5'])
  })

  it('moves although code takes turns without end', async () => {
    const simulator = createSimulator({ seed: 1 })
    let turns = 0
    const again = (): void => {
      turns++
      simulator.clock.nextTurn(again)
    }
    again()
    await simulator.run({ for: 5 })
    expect(turns).toBeGreaterThanOrEqual(5000)
    expect(turns).toBeLessThan(10_000)
  })

  it('moves even with timers of no length', async () => {
    const simulator = createSimulator({ seed: 1 })
    let count = 0
    const again = (): void => {
      count++
      simulator.clock.setTimeout(again, count % 2 === 0 ? 0 : -5)
    }
    again()
    await simulator.run({ for: 100 })
    expect(count).toBe(101)
  })

  it('runs until a condition holds, however it answers', async () => {
    const simulator = createSimulator({ seed: 1 })
    let value = 0
    for (let i = 1; i <= 10; i++) simulator.after(i * 10, () => value++)
    expect(await simulator.runUntil(() => value === 3)).toBe(true)
    expect(simulator.now).toBe(30)
    const later = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => simulator.clock.setTimeout(resolve, 1))
      return value >= 5
    }
    expect(await simulator.runUntil(later)).toBe(true)
    expect(value).toBe(5)
    expect(await simulator.runUntil(() => value > 10, { limit: 500 })).toBe(false)
    expect(simulator.now).toBeGreaterThanOrEqual(550)
  })

  it('asks for the last time at the very end', async () => {
    const simulator = createSimulator({ seed: 1 })
    let done = false
    simulator.after(100, () => (done = true))
    expect(await simulator.runUntil(() => done, { limit: 100, every: 70 })).toBe(true)
    const other = createSimulator({ seed: 1 })
    expect(await other.runUntil(async () => other.now === 100, { limit: 100, every: 70 })).toBe(true)
  })

  it('completes what takes time, passes errors on, and gives up in the end', async () => {
    const simulator = createSimulator({ seed: 1 })
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void simulator.clock.setTimeout(resolve, ms))
    expect(await simulator.complete(sleep(500).then(() => 'awake'))).toBe('awake')
    expect(simulator.now).toBe(500)
    const failing = sleep(5).then(() => Promise.reject(new Error('bad dream')))
    await expect(simulator.complete(failing)).rejects.toThrow('bad dream')
    const never = simulator.complete(new Promise(() => undefined), { limit: 50 })
    await expect(never).rejects.toSatisfy((error) => isP2plError(error, 'TIMEOUT'))
  })

  it('stops with the error of what it runs, and runs one at a time', async () => {
    const simulator = createSimulator({ seed: 1 })
    simulator.after(1, () => {
      throw new Error('thrown')
    })
    simulator.after(2, () => Promise.reject(new Error('rejected')))
    await expect(simulator.run({ for: 10 })).rejects.toThrow('thrown')
    await expect(simulator.run({ for: 10 })).rejects.toThrow('rejected')
    const running = simulator.run({ for: 10 })
    await expect(simulator.run({ for: 10 })).rejects.toThrow('runs already')
    await running
  })
})

it.each([
  [undefined, 'seed'],
  [{}, 'seed'],
  ['seed', 'must be an object'],
  [{ seed: 1, los: 0.5 }, '"los"']
])('createSimulator(%j) says what is wrong', (options, part) => {
  expect(() => createSimulator(options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
  )
})
