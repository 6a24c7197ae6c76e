import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { createFailures, Door, Lifecycle, Window } from '../src/index.ts'

const failures = createFailures('test', { EngineBusyError: 'OVERLOADED' })
const never = new Promise<never>(() => {})
const code = (wanted: Parameters<typeof isP2plError>[1]) => (error: unknown) => isP2plError(error, wanted)

describe('the lifecycle', () => {
  it('begins once for many starts, ends once for many stops, and goes round again', async () => {
    const log: string[] = []
    const lifecycle = new Lifecycle<number>(failures, {
      begin: async () => log.push('begin'),
      end: async () => void log.push('end')
    })
    await lifecycle.stop()
    await Promise.all([lifecycle.start(), lifecycle.start()])
    await lifecycle.start()
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    await lifecycle.start()
    const stopping = lifecycle.stop()
    await Promise.all([stopping, lifecycle.start()])
    expect(log).toEqual(['begin', 'end', 'begin', 'end', 'begin'])
    expect(lifecycle.running).toBe(5)
  })

  it('that fails to begin may be tried again, and an aborted start leaves nothing running', async () => {
    let fails = true
    const gate = Promise.withResolvers<string>()
    const ended: string[] = []
    const lifecycle = new Lifecycle<string>(failures, {
      begin: async () => {
        if (fails) throw failures.failure({ code: 'STORAGE', operation: 'start', message: 'no space' })
        return await gate.promise
      },
      end: async (running) => void ended.push(running)
    })
    await expect(lifecycle.start()).rejects.toSatisfy(code('STORAGE'))
    fails = false
    const abort = new AbortController()
    const starting = lifecycle.start({ signal: abort.signal })
    abort.abort()
    gate.resolve('up')
    await expect(starting).rejects.toSatisfy(code('ABORTED'))
    expect(ended).toEqual(['up'])
    expect(lifecycle.running).toBeUndefined()
  })
})

describe('the door', () => {
  it('refuses calls before it opens and with a fired signal, and classifies what the engine throws', async () => {
    const door = new Door<string>(failures)
    expect(() => door.enter('blocks.get')).toThrow(expect.toSatisfy(code('NOT_RUNNING')) as Error)
    door.open('engine')
    const signal = AbortSignal.abort()
    expect(() => door.enter('blocks.get', { signal })).toThrow(expect.toSatisfy(code('ABORTED')) as Error)
    const thrown = [
      [Object.assign(new Error('busy'), { name: 'EngineBusyError' }), 'OVERLOADED'],
      [new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOSPC' }) }), 'STORAGE'],
      [new AggregateError([new Error('first'), new Error('second')]), 'UNREACHABLE'],
      ['a text', 'ENGINE']
    ] as const
    for (const [error, wanted] of thrown)
      await expect(
        door.quick('blocks.get', undefined, () => {
          throw error
        })
      ).rejects.toSatisfy(code(wanted))
  })

  it('ends calls and iterations that are stuck in the engine when the backend stops, or the signal fires', async () => {
    const door = new Door<string>(failures)
    door.open('engine')
    const abort = new AbortController()
    const aborted = door.call('blocks.get', { signal: abort.signal }, () => never)
    const stuck = door.call('blocks.get', undefined, () => never)
    const iteration = door.iterate('blocks.gc', undefined, async function* () {
      yield 1
      await never
    })
    expect((await iteration.next()).value).toBe(1)
    const next = iteration.next()
    abort.abort()
    await expect(aborted).rejects.toSatisfy(code('ABORTED'))
    door.close()
    await expect(stuck).rejects.toSatisfy(code('NOT_RUNNING'))
    await expect(next).rejects.toSatisfy(code('NOT_RUNNING'))
  })

  it('aborts the engine’s work when the loop over an iteration is left', async () => {
    const door = new Door<string>(failures)
    door.open('engine')
    let inner: AbortSignal | undefined
    for await (const value of door.iterate('blocks.pins', undefined, async function* (_engine, signal) {
      inner = signal
      yield 1
      yield 2
    })) {
      expect(value).toBe(1)
      break
    }
    expect(inner?.aborted).toBe(true)
  })
})

describe('the window', () => {
  it('lets so many in, the others in their order, and forgets who gives up', async () => {
    const window = new Window(1)
    const order: string[] = []
    const leave = await window.enter(new AbortController().signal)
    const abort = new AbortController()
    const givesUp = window.enter(abort.signal)
    const waits = ['a', 'b'].map(async (name) => {
      const leaveAgain = await window.enter(new AbortController().signal)
      order.push(name)
      leaveAgain()
      leaveAgain()
    })
    abort.abort()
    await expect(givesUp).rejects.toBe(abort.signal.reason)
    expect(order).toEqual([])
    leave()
    await Promise.all(waits)
    expect(order).toEqual(['a', 'b'])
    await window.enter(new AbortController().signal)
    await expect(window.enter(AbortSignal.abort())).rejects.toBeDefined()
  })
})
