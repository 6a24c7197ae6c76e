import { MemoryNetwork, memory } from '@p2pl/memory'
import { afterEach, describe, expect, it } from 'vitest'
import type { Backend } from '@p2pl/core/backend'
import type { Combined } from '../src/index.ts'
import { race } from '../src/race.ts'
import { block, cid, failure, ManualClock, never, outcome, overridden, settle } from './support.ts'

const running = new Set<Backend>()
afterEach(async () => {
  await Promise.all([...running].map((backend) => backend.stop()))
  running.clear()
})

/** Memories on networks of their own. */
function memories(count: number): Backend[] {
  return Array.from({ length: count }, (_, index) => memory({ network: new MemoryNetwork(`race-${index}`) }))
}

async function started(legs: readonly Backend[]): Promise<Combined> {
  const backend = race(legs, { clock: new ManualClock(), random: () => 0 })
  running.add(backend)
  await backend.start()
  return backend
}

describe('a race', () => {
  it('ends the calls of the losers: the signal of each fires', async () => {
    const signals: AbortSignal[] = []
    const [first, second, third] = memories(3) as [Backend, Backend, Backend]
    const stalls = (leg: Backend): Backend =>
      overridden(leg, 'blocks.get', async ({ signal }) => {
        if (signal !== undefined) signals.push(signal)
        return await never()
      })
    const backend = await started([stalls(first), second, stalls(third)])
    await second.blocks?.putMany([block])
    expect(await backend.blocks?.get(cid)).toEqual(block.bytes)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('gives the right block when a loser has a wrong one, be it early or late', async () => {
    for (const isLate of [false, true]) {
      const wrong = Promise.withResolvers<Uint8Array>()
      const right = Promise.withResolvers<Uint8Array>()
      const [first, second] = memories(2) as [Backend, Backend]
      const backend = await started([
        overridden(first, 'blocks.get', () => wrong.promise),
        overridden(second, 'blocks.get', () => right.promise)
      ])
      const getting = outcome(backend.blocks!.get(cid))
      const answers = [() => wrong.resolve(Uint8Array.of(9)), () => right.resolve(block.bytes)]
      for (const answer of isLate ? answers.reverse() : answers) {
        answer()
        await settle()
      }
      expect(getting).toEqual({ state: 'ok', value: block.bytes })
      // A wrong block is no failure of the engine: the loser is used as before.
      expect(backend.legs.map(({ state }) => state)).toEqual(['up', 'up'])
    }
  })

  it('rejects when every leg has failed, and not before', async () => {
    const slow = Promise.withResolvers<Uint8Array>()
    const [first, second] = memories(2) as [Backend, Backend]
    const backend = await started([
      overridden(first, 'blocks.get', async () => await Promise.reject(failure('NOT_FOUND'))),
      overridden(second, 'blocks.get', () => slow.promise)
    ])
    const getting = outcome(backend.blocks!.get(cid))
    await settle()
    expect(getting.state).toBe('pending')
    slow.reject(failure('NOT_FOUND'))
    await settle()
    expect(getting).toMatchObject({ state: 'error', error: { code: 'NOT_FOUND' } })
  })
})
