import type { Clock } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { applySchedule, createSimulator } from '../src/index.ts'
import type { Schedule } from '../src/index.ts'

const hour = 3_600_000
const epoch = Date.UTC(2030, 0, 1)

describe('a wall clock', () => {
  it('is ahead or behind as its host says, and no other', async () => {
    const simulator = createSimulator({ seed: 1 })
    simulator.host('early').skew = -hour
    const [early, right] = [
      simulator.host('early').boot().environment.clock,
      simulator.host('right').boot().environment.clock
    ]
    await simulator.run({ for: 500 })
    expect(early.wall()).toBe(epoch + 500 - hour)
    expect([right.wall(), simulator.clock.wall()]).toEqual([epoch + 500, epoch + 500])
  })

  it('jumps while a process runs, and neither monotonic time nor a timer jumps with it', async () => {
    const simulator = createSimulator({ seed: 1 })
    const host = simulator.host('h')
    const { clock } = host.boot().environment
    const fired: number[] = []
    const begin = clock.now()
    clock.setTimeout(() => fired.push(clock.now() - begin), 1000)
    await simulator.run({ for: 500 })
    host.skew = 2 * hour
    expect(clock.wall()).toBe(epoch + 500 + 2 * hour)
    await simulator.run({ for: 250 })
    host.skew = -hour
    await simulator.run({ for: 1000 })
    expect(clock.wall()).toBe(epoch + 1750 - hour)
    expect([fired, clock.now() - begin]).toEqual([[1000], 1750])
  })

  it('stays wrong through a restart', async () => {
    const simulator = createSimulator({ seed: 1 })
    const host = simulator.host('h')
    const before = host.boot().environment.clock.wall()
    host.crash()
    host.skew -= hour
    await simulator.run({ for: 10 })
    expect(host.boot().environment.clock.wall()).toBe(before + 10 - hour)
  })

  it('stands beside monotonic time that begins anew with each boot', async () => {
    const simulator = createSimulator({ seed: 1 })
    const host = simulator.host('h')
    await simulator.run({ for: 100 })
    const { clock } = host.boot().environment
    await simulator.run({ for: 50 })
    expect(clock.now()).toBe(50)
    host.crash()
    expect(host.boot().environment.clock.now()).toBe(0)
  })

  it('has a skew that is a number', () => {
    const host = createSimulator({ seed: 1 }).host('h')
    for (const skew of [NaN, Infinity]) expect(() => (host.skew = skew)).toThrow('skew')
  })
})

describe('a schedule', () => {
  it('lets clocks jump and come back, and lets hosts restart with an earlier clock', async () => {
    const simulator = createSimulator({ seed: 1 })
    const clocks = new Map<string, Clock>()
    const log: [number, string, number][] = []
    const note = (): void => {
      for (const [id, clock] of clocks) log.push([simulator.now, id, (clock.wall() - epoch - simulator.now) / hour])
    }
    const schedule: Schedule = {
      hosts: ['a', 'b'],
      duration: 1000,
      faults: [
        { kind: 'clock', host: 'a', at: 100, for: 400, skew: hour },
        { kind: 'clock', host: 'a', at: 300, for: 400, skew: -3 * hour },
        { kind: 'crash', host: 'b', at: 200, for: 300, power: false, skew: -2 * hour }
      ]
    }
    applySchedule(simulator, schedule, {
      start: async (host) => {
        const { backend, environment } = host.boot()
        await backend.start()
        clocks.set(host.id, environment.clock)
      },
      crashed: (host) => clocks.delete(host.id)
    })
    for (const at of [50, 150, 350, 600, 950]) simulator.after(at, note)
    await simulator.run({ for: 1000 })
    expect(log).toEqual([
      [50, 'a', 0],
      [50, 'b', 0],
      [150, 'a', 1],
      [150, 'b', 0],
      [350, 'a', -2],
      [600, 'a', -3],
      [600, 'b', -2],
      [950, 'a', 0],
      [950, 'b', -2]
    ])
  })
})
