import { describe, expect, it } from 'vitest'
import { applySchedule, createSimulator, randomInteger, randomSchedule } from '../src/index.ts'
import type { SimulatorOptions } from '../src/index.ts'
import { rawBlock } from '@p2pl/tooling-vitest/blocks'
import { hearing, world } from './harness.ts'

interface Outcome {
  readonly hash: string
  readonly heard: string
  readonly events: number
  readonly log: string
}

/** Talk, blocks, faults of every kind: half a busy minute. */
async function busyTime(seed: number, options: Partial<SimulatorOptions>): Promise<Outcome> {
  const log: string[] = []
  const simulator = createSimulator({
    seed,
    loss: 0.02,
    duplicate: 0.02,
    reorder: { probability: 0.05, by: 200 },
    onTrace: ({ at, kind, from, to, bytes }) => log.push(`${at} ${kind} ${from} ${to} ${bytes}`),
    ...options
  })
  const hosts = Array.from({ length: 12 }, (_, i) => `h${i}`)
  const blocks = await Promise.all(Array.from({ length: 40 }, (_, i) => rawBlock(`block ${i}`)))
  const heard: string[] = []
  const schedule = randomSchedule(simulator.random('schedule'), {
    hosts,
    duration: 30_000,
    maxFaults: 20,
    kinds: ['partition', 'block', 'crash', 'loss', 'duplication', 'delay', 'slow', 'late', 'lie']
  })
  applySchedule(simulator, schedule, {
    start: async (host) => {
      const { backend, environment } = host.boot()
      const { clock, random } = environment
      await backend.start()
      await backend.messages!.subscribe(
        't',
        hearing(({ payload }) => heard.push(`${simulator.now} ${host.id} ${payload.byteLength}`))
      )
      const talk = async (): Promise<void> => {
        await backend.messages!.publish('t', new Uint8Array(randomInteger(random, 500)))
        const block = blocks[randomInteger(random, blocks.length)]!
        if (random() < 0.5) await backend.blocks!.putMany([block])
        else void backend.blocks!.get(block.cid).then(({ byteLength }) => heard.push(`${simulator.now} ${byteLength}`))
        clock.setTimeout(() => void talk(), 200 + random() * 800)
      }
      await talk()
    }
  })
  await simulator.run({ for: 30_000 })
  return { hash: simulator.traceHash(), heard: heard.join('\n'), events: simulator.stats().events, log: log.join('\n') }
}

describe.each([
  ['straight', {}],
  ['through a mesh', { mesh: { degree: 4 } }]
])('a simulation %s', (_name, options) => {
  it('is the same for the same seed, step by step, and another for another', async () => {
    const [first, again, other] = [await busyTime(1, options), await busyTime(1, options), await busyTime(2, options)]
    expect(first.events).toBeGreaterThan(3000)
    // Not handed to the matcher: its report of a difference of this size would take minutes.
    expect(again.log === first.log && again.heard === first.heard).toBe(true)
    expect([again.hash, again.events]).toEqual([first.hash, first.events])
    expect(other.hash).not.toBe(first.hash)
    expect(other.heard === first.heard).toBe(false)
  })

  it('has the same hash whatever the real machine does meanwhile', async () => {
    const alone = await busyTime(3, options)
    const quiet = new AbortController()
    const noisy = (async () => {
      while (!quiet.signal.aborted) await new Promise<void>((resolve) => setTimeout(resolve, 0))
    })()
    const among = await busyTime(3, options)
    quiet.abort()
    await noisy
    expect(among.hash).toBe(alone.hash)
  })
})

it('leaves the network to the seed, where the code under test leaves nothing to chance', async () => {
  const traces: string[] = []
  for (const seed of [1, 1, 2]) {
    const { simulator, publish } = await world(5, { seed })
    for (let i = 0; i < 20; i++) await publish(i % 5, 'text')
    await simulator.run({ for: 1000 })
    traces.push(simulator.traceHash())
  }
  expect(traces[1]).toBe(traces[0])
  expect(traces[2]).not.toBe(traces[0])
})
