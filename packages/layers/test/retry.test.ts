import { compose, isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { retry } from '../src/retry.ts'
import { block, cid, collect, failing, failure, fake, ManualClock, never, outcome } from './support.ts'

const unreachable = failure('UNREACHABLE')
const immediately = { baseDelay: 0 }

const delays = async (jitter: number, chance: number): Promise<number[]> => {
  const clock = new ManualClock()
  const at: number[] = []
  const has = async (): Promise<boolean> => {
    at.push(clock.now())
    throw unreachable
  }
  const options = { attempts: 5, baseDelay: 100, maxDelay: 500, jitter, random: () => chance, clock }
  const result = outcome(retry(options)(fake({ blocks: { has } })).blocks!.has(cid))
  await clock.advance(10_000)
  expect(result.state).toBe('error')
  return at.slice(1).map((time, i) => time - at[i]!)
}

describe('retry', () => {
  it('repeats retryable failures until the call succeeds', async () => {
    const get = failing([unreachable, unreachable], block.bytes)
    const backend = retry(immediately)(fake({ blocks: { get } }))
    expect(await backend.blocks?.get(cid)).toBe(block.bytes)
    expect(get.calls).toBe(3)
  })

  it('throws the last error, exhausted, when the attempts are used up, and nothing above retries it', async () => {
    const get = failing([unreachable, unreachable, failure('TIMEOUT')], block.bytes)
    const twice = compose(fake({ blocks: { get } }), retry(immediately), retry(immediately))
    await expect(twice.blocks?.get(cid)).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true, exhausted: true })
    expect(get.calls).toBe(3)
  })

  it.each([
    ['an error that is not retryable', failure('INVALID_CONTENT')],
    ['an error that says that it is not retryable', failure('UNREACHABLE', false)],
    ['a foreign error', new Error('foreign')]
  ])('does not repeat after %s', async (_, error) => {
    const has = failing([error], true)
    await expect(retry(immediately)(fake({ blocks: { has } })).blocks?.has(cid)).rejects.toBe(error)
    expect(has.calls).toBe(1)
  })

  it('waits longer each time, up to the limit, and less by chance', async () => {
    expect(await delays(0, 0.9)).toEqual([100, 200, 400, 500])
    expect(await delays(1, 0.5)).toEqual([50, 100, 200, 250])
    expect(await delays(0.5, 0)).toEqual([100, 200, 400, 500])
  })

  it('ends a pause at once when the signal fires, and leaves no timer', async () => {
    const clock = new ManualClock()
    const has = failing([unreachable], true)
    const abort = new AbortController()
    const call = retry({ clock, random: () => 0 })(fake({ blocks: { has } })).blocks!.has(cid, { signal: abort.signal })
    const result = outcome(call)
    await clock.advance(10)
    expect(result.state).toBe('pending')
    abort.abort()
    await clock.advance(0)
    expect(isP2plError(result.error, 'ABORTED')).toBe(true)
    expect([has.calls, clock.pending]).toEqual([1, 0])
  })

  it('does not repeat what failed because the signal of the caller fired', async () => {
    const abort = new AbortController()
    let calls = 0
    const has = async (): Promise<boolean> => {
      calls++
      abort.abort()
      throw unreachable
    }
    const blocks = retry(immediately)(fake({ blocks: { has } })).blocks
    await expect(blocks?.has(cid, { signal: abort.signal })).rejects.toBe(unreachable)
    expect(calls).toBe(1)
  })

  it('takes NOT_FOUND of the own store for an answer, and asks others again', async () => {
    const get = failing([failure('NOT_FOUND'), failure('NOT_FOUND')], block.bytes)
    const { blocks } = retry({ ...immediately, attempts: 2 })(fake({ blocks: { get } }))
    await expect(blocks?.get(cid, { local: true })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(get.calls).toBe(1)
    expect(await blocks?.get(cid)).toBe(block.bytes)
  })

  it('repeats a publish that did not happen, and none that may have', async () => {
    const lost = failing([unreachable], {})
    await retry(immediately)(fake({ messages: { publish: lost } })).messages?.publish('t', block.bytes)
    expect(lost.calls).toBe(2)
    const late = failing([failure('TIMEOUT')], {})
    const wrapped = retry(immediately)(fake({ messages: { publish: late } }))
    await expect(wrapped.messages?.publish('t', block.bytes)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(late.calls).toBe(1)
  })

  it('repeats an iteration that failed before its first item only', async () => {
    let calls = 0
    const pins = (first: boolean) =>
      async function* () {
        calls++
        if (!first) yield { cid, recursive: true }
        if (calls < 3) throw unreachable
        if (first) yield { cid, recursive: true }
      }
    const before = retry(immediately)(fake({ blocks: { pins: pins(true) } }))
    expect(await collect(before.blocks!.pins())).toHaveLength(1)
    expect(calls).toBe(3)
    calls = 0
    const after = retry(immediately)(fake({ blocks: { pins: pins(false) } }))
    await expect(collect(after.blocks!.pins())).rejects.toBe(unreachable)
    expect(calls).toBe(1)
  })

  it('retries the given operations, by default not start', async () => {
    const start = failing([unreachable], undefined)
    await expect(retry(immediately)(fake({ start })).start()).rejects.toBe(unreachable)
    start.calls = 0
    await retry({ ...immediately, operations: ['start'] })(fake({ start })).start()
    expect(start.calls).toBe(2)
  })

  it.each([{ attempts: 0 }, { attempts: 1.5 }, { baseDelay: -1 }, { maxDelay: NaN }, { jitter: 2 }])(
    'refuses %o',
    (options) => {
      expect(() => retry(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  )

  it('keeps name, capabilities, self and what the backend has beyond the port', () => {
    const inner = Object.assign(fake({ blocks: { get: never } }), { stats: () => 'all well', engine: 'the engine' })
    const outer = retry()(inner)
    expect([outer.name, outer.capabilities, outer.self()]).toEqual([inner.name, inner.capabilities, inner.self()])
    expect([outer.stats(), outer.engine]).toEqual(['all well', 'the engine'])
  })
})
