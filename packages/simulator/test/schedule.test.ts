import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applySchedule,
  createRandom,
  createSimulator,
  minimizeSchedule,
  printSchedule,
  randomSchedule,
  shrinkSchedule
} from '../src/index.ts'
import type { FaultKind, Schedule } from '../src/index.ts'
import { listen } from './harness.ts'

const hosts = Array.from({ length: 8 }, (_, i) => `h${i}`)
const kinds: readonly FaultKind[] = [
  'partition',
  'block',
  'crash',
  'loss',
  'duplication',
  'delay',
  'slow',
  'late',
  'lie'
]

function scheduleOf(seed: number): Schedule {
  return randomSchedule(createRandom(seed), { hosts, duration: 20_000, maxFaults: 15, kinds })
}

describe('schedules', () => {
  it('are plain data, the same for the same random numbers, and all over in time', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const schedule = scheduleOf(seed)
        expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule)
        expect(scheduleOf(seed)).toEqual(schedule)
        expect(schedule.faults.length).toBeLessThanOrEqual(15)
        for (const fault of schedule.faults) {
          seen.add(fault.kind)
          expect(fault.at).toBeGreaterThanOrEqual(0)
          expect(fault.for).toBeGreaterThan(0)
          expect(fault.at + fault.for).toBeLessThanOrEqual(schedule.duration)
        }
      }),
      { seed: 3, numRuns: 200 }
    )
    expect(seen).toEqual(new Set(kinds))
  })

  it('leave nothing behind: afterwards every host hears every other one, once and soon', async () => {
    const healed = fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, meshed) => {
      const simulator = createSimulator({ seed, latency: 20, ...(meshed ? { mesh: { degree: 4 } } : {}) })
      const heard = new Map<string, string[]>()
      applySchedule(simulator, scheduleOf(seed), {
        start: async (host) => {
          const { backend } = host.boot()
          await backend.start()
          const mine: string[] = []
          heard.set(host.id, mine)
          await listen(backend, mine)
        }
      })
      await simulator.run({ for: 20_000 })
      expect(simulator.hosts.every((host) => host.up)).toBe(true)
      // The mesh adapts within a heartbeat.
      await simulator.run({ for: 1500 })
      for (const id of hosts) simulator.host(id).inject('t', new TextEncoder().encode(id))
      await simulator.run({ for: 20 * 8 })
      for (const id of hosts) expect(heard.get(id)!.toSorted()).toEqual(hosts.filter((other) => other !== id))
    })
    await fc.assert(healed, { seed: 5, numRuns: 60 })
  })

  it('let hosts that overlapping faults keep down start once, when the last one is over', async () => {
    const simulator = createSimulator({ seed: 1 })
    const log: string[] = []
    const schedule: Schedule = {
      hosts: ['a', 'b'],
      duration: 1000,
      faults: [
        { kind: 'late', host: 'a', at: 0, for: 500 },
        { kind: 'crash', host: 'a', at: 100, for: 600, power: false, skew: 0 },
        { kind: 'crash', host: 'b', at: 200, for: 300, power: false, skew: 0 },
        { kind: 'crash', host: 'b', at: 300, for: 100, power: true, skew: 0 }
      ]
    }
    applySchedule(simulator, schedule, {
      start: async (host) => {
        log.push(`${simulator.now} start ${host.id}`)
        await host.boot().backend.start()
      },
      crashed: (host) => log.push(`${simulator.now} crash ${host.id}`)
    })
    await simulator.run({ for: 1000 })
    expect(log).toEqual(['1 start b', '200 crash b', '500 start b', '700 start a'])
  })

  it('stop the run when a start fails', async () => {
    const simulator = createSimulator({ seed: 1 })
    applySchedule(
      simulator,
      { hosts: ['a'], duration: 10, faults: [] },
      { start: () => Promise.reject(new Error('no disk')) }
    )
    await expect(simulator.run({ for: 10 })).rejects.toThrow('no disk')
  })

  it('can be read', () => {
    const schedule: Schedule = {
      hosts,
      duration: 60_000,
      faults: [
        { kind: 'partition', at: 0, for: 1500, groups: [['h0', 'h1'], ['h2']] },
        { kind: 'crash', host: 'h3', at: 12_345, for: 10, power: true, skew: 0 },
        { kind: 'block', from: ['h4'], to: ['h5'], at: 20_000, for: 1000 }
      ]
    }
    expect(printSchedule(schedule).split('\n')).toEqual([
      '8 hosts, 3 faults, all well after 60.000 s',
      '  0.000 s for 1.500 s      partition {h0 h1} | {h2}',
      '  12.345 s for 0.010 s     crash h3, unsynced blocks lost',
      '  20.000 s for 1.000 s     block {h4} -> {h5}'
    ])
  })

  it('get smaller as long as they still fail', async () => {
    const fails = ({ faults }: Schedule): boolean =>
      faults.some((fault) => fault.kind === 'crash' && fault.for > 100) &&
      faults.some(({ kind }) => kind === 'partition')
    const candidates = Array.from({ length: 100 }, (_, seed) => scheduleOf(seed))
    const start = candidates.find((schedule) => schedule.faults.length > 9 && fails(schedule))
    const failsLater = (schedule: Schedule): Promise<boolean> => Promise.resolve(fails(schedule))
    const smallest = await minimizeSchedule(start!, failsLater)
    expect(smallest.faults.map(({ kind }) => kind).toSorted()).toEqual(['crash', 'partition'])
    const crash = smallest.faults.find(({ kind }) => kind === 'crash')
    expect(crash!.for).toBeGreaterThan(100)
    expect(crash!.for).toBeLessThanOrEqual(201)
    for (const smaller of shrinkSchedule(smallest)) expect(fails(smaller)).toBe(false)
    expect(await minimizeSchedule(start!, failsLater, 0)).toEqual(start)
  })

  it('need hosts, kinds and time', () => {
    for (const options of [{ hosts: [] }, { hosts, kinds: [] }, { hosts, duration: 1 }])
      expect(() => randomSchedule(createRandom(1), options)).toThrow('a schedule needs')
  })
})
