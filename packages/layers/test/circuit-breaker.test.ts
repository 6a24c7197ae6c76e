import { compose, type P2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { circuitBreaker, type CircuitChange, retry } from '../src/index.ts'
import { block, cid, collect, failure, fake, ManualClock, outcome, settle } from './support.ts'

type Answer = 'ok' | P2plError | Error | Promise<boolean>

function guarded(options: Parameters<typeof circuitBreaker>[0] = {}) {
  const clock = new ManualClock()
  const states: CircuitChange['state'][] = []
  let answer: Answer = 'ok'
  let calls = 0
  const has = async (): Promise<boolean> => {
    calls++
    if (answer instanceof Error) throw answer
    return answer === 'ok' || (await answer)
  }
  const onState = ({ state }: CircuitChange): unknown => states.push(state)
  const inner = fake({
    blocks: {
      has,
      get: async () => {
        await has()
        return block.bytes
      }
    }
  })
  const backend = circuitBreaker({ clock, random: () => 0, onState, ...options })(inner)
  return {
    clock,
    states,
    backend,
    has: () => backend.blocks!.has(cid),
    get: () => backend.blocks!.get(cid),
    calls: () => calls,
    answers: (next: Answer) => {
      answer = next
    }
  }
}

const unreachable = failure('UNREACHABLE')
const fails = async (call: () => Promise<unknown>, times: number): Promise<void> => {
  for (let i = 0; i < times; i++) await call().catch(() => undefined)
}

describe('circuitBreaker', () => {
  it('refuses calls at once when the backend failed, and says when it tries again', async () => {
    const { has, answers, calls, states } = guarded()
    answers(unreachable)
    await fails(has, 5)
    await expect(has()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      exhausted: true,
      operation: 'blocks.has',
      message: expect.stringContaining('in 1000 ms') as string
    })
    expect(calls()).toBe(5)
    expect(states).toEqual(['open'])
  })

  it('tries one call after its time, and closes when that succeeds', async () => {
    const { has, answers, calls, states, clock } = guarded()
    answers(unreachable)
    await fails(has, 5)
    await clock.advance(1_000)
    let release: ((ok: boolean) => void) | undefined
    answers(
      new Promise((resolve) => {
        release = resolve
      })
    )
    const trial = outcome(has())
    await expect(has()).rejects.toMatchObject({ message: expect.stringContaining('trial is under way') as string })
    release?.(true)
    await settle()
    expect([trial.state, calls(), states]).toEqual(['ok', 6, ['open', 'half-open', 'closed']])
    answers('ok')
    expect(await has()).toBe(true)
  })

  it('waits twice as long after each trial that fails, up to its limit', async () => {
    const { has, answers, clock, calls } = guarded({ openFor: 1_000, maxOpenFor: 3_000 })
    answers(unreachable)
    await fails(has, 5)
    for (const wait of [1_000, 2_000, 3_000, 3_000]) {
      await clock.advance(wait - 1)
      const before = calls()
      await fails(has, 1)
      expect(calls()).toBe(before)
      await clock.advance(1)
      await fails(has, 1)
      expect(calls()).toBe(before + 1)
    }
  })

  it('is not stuck by a trial that its caller gave up', async () => {
    const { has, answers, clock } = guarded()
    answers(unreachable)
    await fails(has, 5)
    await clock.advance(1_000)
    answers(failure('ABORTED'))
    await fails(has, 1)
    answers('ok')
    expect(await has()).toBe(true)
  })

  it('opens for a share of failures among the last calls', async () => {
    const { has, answers, states } = guarded({ window: 10, minCalls: 10, failureShare: 0.5 })
    for (let i = 0; i < 12; i++) {
      answers(i % 3 === 0 ? unreachable : 'ok')
      await fails(has, 1)
    }
    expect(states).toEqual([])
    answers(unreachable)
    await fails(has, 2)
    expect(states).toEqual([])
    await fails(has, 1)
    expect(states).toEqual(['open'])
  })

  it.each([
    ['content that nobody has', failure('TIMEOUT')],
    ['content that is not there', failure('NOT_FOUND')],
    ['wrong bytes', failure('INVALID_CONTENT')],
    ['a refused argument', failure('INVALID_ARGUMENT')],
    ['a backend that does not run', failure('NOT_RUNNING')],
    ['a caller that gave up', failure('ABORTED')],
    ['a foreign error', new Error('foreign')]
  ])('is opened by no get of %s', async (_, error) => {
    const { get, answers, calls, states } = guarded()
    answers(error)
    await fails(get, 50)
    expect([calls(), states]).toEqual([50, []])
  })

  it('is opened by timeouts of the own store, and of each operation alone', async () => {
    const { has, get, answers, calls } = guarded()
    answers(failure('TIMEOUT'))
    await fails(has, 50)
    expect(calls()).toBe(5)
    answers('ok')
    expect(await get()).toBe(block.bytes)
  })

  it('does not watch calls that ask for one remote peer', async () => {
    let calls = 0
    const connect = async (): Promise<void> => {
      calls++
      throw unreachable
    }
    const { routing } = circuitBreaker()(fake({ routing: { connect } }))
    await fails(() => routing!.connect({ network: 'n', id: 'i', addresses: [] }), 20)
    expect(calls).toBe(20)
  })

  it('ends the attempts of a retry above it', async () => {
    const { backend, answers, calls } = guarded()
    answers(unreachable)
    const { blocks } = compose(backend, retry({ attempts: 50, baseDelay: 0 }))
    await expect(blocks!.has(cid)).rejects.toMatchObject({ exhausted: true })
    expect(calls()).toBe(5)
  })

  it('counts iterations, also one that its reader leaves', async () => {
    let broken = true
    const pins = async function* (): AsyncGenerator<{ cid: typeof cid; recursive: boolean }> {
      if (broken) throw unreachable
      yield { cid, recursive: true }
    }
    const clock = new ManualClock()
    const { blocks } = circuitBreaker({ clock, random: () => 0 })(fake({ blocks: { pins } }))
    await fails(() => collect(blocks!.pins()), 6)
    await expect(collect(blocks!.pins())).rejects.toMatchObject({ exhausted: true })
    await clock.advance(1_000)
    broken = false
    for await (const _ of blocks!.pins()) break
    expect(await collect(blocks!.pins())).toHaveLength(1)
  })

  it('begins anew with a backend that is started anew', async () => {
    const { backend, has, answers } = guarded()
    answers(unreachable)
    await fails(has, 5)
    await backend.stop()
    answers('ok')
    await backend.start()
    expect(await has()).toBe(true)
  })
})
