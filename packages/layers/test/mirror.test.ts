import type { Backend } from '@p2pl/core/backend'
import { MemoryNetwork, memory } from '@p2pl/memory'
import { afterEach, describe, expect, it } from 'vitest'
import type { Combined } from '../src/index.ts'
import { mirror, type MirrorOptions } from '../src/mirror.ts'
import { block, cid, failure, ManualClock, outcome, overridden } from './support.ts'

const running = new Set<Backend>()
afterEach(async () => {
  await Promise.all([...running].map((backend) => backend.stop()))
  running.clear()
})

type Three<T> = [T, T, T]

/** Three memories on networks of their own. */
function memories(): Three<Backend> {
  return [0, 1, 2].map((index) => memory({ network: new MemoryNetwork(`mirror-${index}`) })) as Three<Backend>
}

async function started(
  legs: readonly Backend[],
  options: MirrorOptions,
  clock: ManualClock = new ManualClock()
): Promise<Combined> {
  const backend = mirror(legs, { clock, random: () => 0, ...options })
  running.add(backend)
  await backend.start()
  return backend
}

/** The leg, whose store is full. */
function full(leg: Backend): Backend {
  return overridden(leg, 'blocks.putMany', async () => await Promise.reject(failure('STORAGE')))
}

const stored = async (legs: readonly Backend[]): Promise<unknown[]> =>
  await Promise.all(legs.map(async ({ blocks }) => await blocks?.has(cid)))

describe('a mirror with a quorum of two of three', () => {
  it('resolves while one leg fails', async () => {
    const legs = memories()
    const backend = await started([full(legs[0]), legs[1], legs[2]], { quorum: 2 })
    await backend.blocks?.putMany([block])
    expect(await stored(legs)).toEqual([false, true, true])
  })

  it('rejects with an error that says what was reached when two fail', async () => {
    const legs = memories()
    const backend = await started([full(legs[0]), legs[1], full(legs[2])], { quorum: 2 })
    const error = await backend.blocks?.putMany([block]).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'P2plError', code: 'STORAGE' })
    expect((error as Error).message).toContain('blocks.putMany was done by 1 of its backends and needs 2')
    expect(await stored(legs)).toEqual([false, true, false])
  })

  it('rejects with a retryable error that names the legs that cannot be used', async () => {
    const legs = memories()
    const backend = await started(legs, { quorum: 2 })
    await backend.legs[0]?.pause()
    await backend.blocks?.putMany([block])
    await backend.legs[2]?.pause()
    const error = await backend.blocks?.putMany([block]).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'UNREACHABLE', retryable: true })
    expect((error as Error).message).toContain(
      'done by 1 of its backends and needs 2; memory, memory#3 cannot be used now'
    )
  })
})

describe('a read of a mirror', () => {
  it('comes from the first leg that has the block', async () => {
    const asked: number[] = []
    const legs = memories()
    const noted = legs.map((leg, index) =>
      overridden(leg, 'blocks.get', async (_options, run) => {
        const bytes = await run()
        asked.push(index)
        return bytes
      })
    )
    const clock = new ManualClock()
    const backend = await started(noted, { quorum: 2 }, clock)
    await legs[1].blocks?.putMany([block])
    await legs[2].blocks?.putMany([block])
    // The first leg asks its network, which takes until the other stores are looked at.
    const getting = outcome(backend.blocks!.get(cid))
    await clock.advance(20)
    expect(getting).toEqual({ state: 'ok', value: block.bytes })
    expect(asked[0]).toBe(1)
    await legs[0].blocks?.putMany([block])
    asked.length = 0
    expect(await backend.blocks?.get(cid, { local: true })).toEqual(block.bytes)
    expect(asked[0]).toBe(0)
  })
})
