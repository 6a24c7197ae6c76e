import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type BlockHooks, type HookOptions, P2plError } from '../../src/backend.ts'
import { block, calls, defined, everyHook, never, opened, started } from './support.ts'

describe.each(Object.entries(calls))('%s', (operation, call) => {
  it('is refused before start, after stop and with a fired signal, before the engine is asked', async () => {
    let asked = 0
    const backend = defined({
      open: async () =>
        everyHook(async () => {
          asked++
          return await never()
        })
    })
    const expected = { operation, backend: 'test' }
    await expect(call(backend)).rejects.toMatchObject({ ...expected, code: 'NOT_RUNNING' })
    await backend.start()
    await expect(call(backend, { signal: AbortSignal.abort() })).rejects.toMatchObject({ ...expected, code: 'ABORTED' })
    await backend.stop()
    await expect(call(backend)).rejects.toMatchObject({ ...expected, code: 'NOT_RUNNING' })
    expect(asked).toBe(0)
  })

  it('ends with its signal and with the backend, though the engine ignores both, and tells the hook', async () => {
    const signals: AbortSignal[] = []
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const backend = await started(
      everyHook(async ({ signal }) => {
        asked[signals.length]?.resolve()
        signals.push(signal)
        return await never()
      })
    )
    const controller = new AbortController()
    const aborted = expect(call(backend, { signal: controller.signal })).rejects.toMatchObject({
      operation,
      code: 'ABORTED',
      backend: 'test'
    })
    await asked[0]?.promise
    controller.abort()
    await aborted
    const stopped = expect(call(backend)).rejects.toMatchObject({ operation, code: 'NOT_RUNNING', backend: 'test' })
    // A subscription waits for the end of the join that was given up; the engine never ends it.
    if (operation !== 'messages.subscribe') await asked[1]?.promise
    await backend.stop()
    await stopped
    expect(signals.every((signal) => signal.aborted)).toBe(true)
  })

  it('has its failures typed, and typed ones completed', async () => {
    const cause = new Error('boom')
    let error: unknown = cause
    const backend = await started(everyHook(() => Promise.reject(error)))
    await expect(call(backend)).rejects.toMatchObject({
      code: 'ENGINE',
      retryable: false,
      operation,
      backend: 'test',
      cause
    })
    error = new P2plError({ code: 'UNREACHABLE', message: 'away' })
    await expect(call(backend)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      operation,
      backend: 'test'
    })
    error = Object.assign(new P2plError({ code: 'OVERLOADED', message: 'busy', retryable: false, exhausted: true }))
    await expect(call(backend)).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: false,
      exhausted: true,
      operation
    })
    await backend.stop()
  })
})

it('gives a hook plain options: a copy has the signal, too, and no listener stays at the signal of the caller', async () => {
  const copies: HookOptions[] = []
  const blocks: BlockHooks = {
    ...(opened().blocks as BlockHooks),
    has: async (_cid, options) => {
      copies.push({ ...options })
      return copies.length === 1 ? true : await never()
    }
  }
  const backend = await started({ blocks })
  const { signal } = new AbortController()
  const { cid } = await block()
  await backend.blocks?.has(cid, { signal })
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  const pending = expect(backend.blocks?.has(cid, { signal })).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  await backend.stop()
  await pending
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(copies.map((copy) => copy.signal.aborted)).toEqual([false, true])
})
