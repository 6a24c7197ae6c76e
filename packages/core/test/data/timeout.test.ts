import { describe, expect, it } from 'vitest'
import { iterateWithTimeout, startCountdown, withTimeout } from '../../src/toolbox/countdown.ts'
import { P2plError } from '../../src/errors.ts'
import { ManualClock, settle } from './store-backend.ts'

const never = (): Promise<never> => new Promise(() => undefined)

describe('a timeout', () => {
  it('ends work that ignores its signal, by the clock, and leaves no timer', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    const work = withTimeout(clock, {}, 1_000, 'test.op', (given) => {
      signal = given
      return never()
    })
    const result = expect(work).rejects.toMatchObject({ code: 'TIMEOUT', operation: 'test.op', retryable: true })
    clock.advance(999)
    await settle()
    expect(signal?.aborted).toBe(false)
    clock.advance(1)
    await result
    expect(signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('is that of the call where it gives one, and none when it is Infinity', async () => {
    const clock = new ManualClock()
    const short = expect(withTimeout(clock, { timeout: 10 }, 1_000, 'test', never)).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
    clock.advance(10)
    await short
    void withTimeout(clock, { timeout: Infinity }, 1_000, 'test', never)
    clock.advance(1_000_000)
    // The one that keeps the process alive.
    expect(clock.pending).toBe(1)
    for (const timeout of [0, -1, Number.NaN, '5' as unknown as number]) {
      await expect(withTimeout(clock, { timeout }, 1_000, 'test', never)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT'
      })
    }
  })

  it('gives way to the caller: a signal that fired does no work, one that fires later ends it', async () => {
    const clock = new ManualClock()
    let started = false
    const fired = AbortSignal.abort(new Error('no more'))
    await expect(
      withTimeout(clock, { signal: fired }, 1_000, 'test', () => {
        started = true
      })
    ).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'no more' } })
    expect(started).toBe(false)
    const controller = new AbortController()
    const work = expect(withTimeout(clock, { signal: controller.signal }, 1_000, 'test', never)).rejects.toMatchObject({
      code: 'ABORTED'
    })
    controller.abort()
    await work
    const late = new AbortController()
    const timed = expect(withTimeout(clock, { signal: late.signal }, 1_000, 'test', never)).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
    late.abort(new DOMException('late', 'TimeoutError'))
    await timed
    expect(clock.pending).toBe(0)
  })

  it('ends with its scope, and says why in the words of the scope', async () => {
    const clock = new ManualClock()
    const scope = new AbortController()
    const work = expect(withTimeout(clock, { scope: scope.signal }, 1_000, 'test', never)).rejects.toMatchObject({
      code: 'NOT_RUNNING'
    })
    scope.abort(new P2plError({ code: 'NOT_RUNNING', message: 'stopped' }))
    await work
  })

  it('leaves nobody to handle what the work throws later', async () => {
    const clock = new ManualClock()
    let fail: (error: Error) => void = () => undefined
    const work = expect(
      withTimeout(clock, {}, 10, 'test', () => new Promise<never>((_, reject) => (fail = reject)))
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    clock.advance(10)
    await work
    // An unhandled rejection would fail the test run.
    fail(new Error('too late'))
    await settle()
  })

  it('passes values and errors on as they are', async () => {
    const clock = new ManualClock()
    expect(await withTimeout(clock, {}, 10, 'test', () => 5)).toBe(5)
    const own = new Error('own')
    await expect(
      withTimeout(clock, {}, 10, 'test', () => {
        throw own
      })
    ).rejects.toBe(own)
    expect(clock.pending).toBe(0)
  })

  it('counts from the last progress, and stands still while paused', async () => {
    const clock = new ManualClock()
    const countdown = startCountdown(clock, {}, 100, 'test')
    clock.advance(90)
    countdown.renew()
    clock.advance(90)
    expect(countdown.signal.aborted).toBe(false)
    countdown.pause()
    countdown.renew()
    clock.advance(10_000)
    expect(countdown.signal.aborted).toBe(false)
    countdown.resume()
    clock.advance(100)
    // Data that has arrived is read first.
    await settle()
    expect(countdown.signal.aborted).toBe(true)
    await expect(countdown.race(Promise.resolve(1))).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})

describe('an iteration with a timeout', () => {
  it('does not count the time its reader takes', async () => {
    const clock = new ManualClock()
    const items = iterateWithTimeout(clock, {}, 100, 'test', true, async function* () {
      yield 1
      yield 2
      await never()
    })
    expect((await items.next()).value).toBe(1)
    clock.advance(100_000)
    expect((await items.next()).value).toBe(2)
    const last = expect(items.next()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await settle()
    clock.advance(100)
    await last
    expect(await items.next()).toEqual({ done: true, value: undefined })
    expect(clock.pending).toBe(0)
  })

  it('answers concurrent calls of next in order, and return ends all of them', async () => {
    const clock = new ManualClock()
    const items = iterateWithTimeout(clock, {}, 100, 'test', true, async function* () {
      yield 1
      await never()
    })
    const [first, second, third] = [items.next(), items.next(), items.next()]
    expect((await first).value).toBe(1)
    await settle()
    await items.return?.()
    expect(await second).toEqual({ done: true, value: undefined })
    expect(await third).toEqual({ done: true, value: undefined })
  })
})
