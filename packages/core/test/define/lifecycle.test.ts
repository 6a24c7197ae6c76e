import { describe, expect, it } from 'vitest'
import { type BackendEvent, type OpenedBackend } from '../../src/backend.ts'
import { blocks, defined, messages, never, opened, routing, started } from './support.ts'

describe('start and stop', () => {
  it('share one start, and one stop', async () => {
    let opens = 0
    let closes = 0
    const backend = defined({
      open: async () => {
        opens++
        return opened({
          close: async () => {
            closes++
          }
        })
      }
    })
    await Promise.all([backend.start(), backend.start()])
    await backend.start()
    await Promise.all([backend.stop(), backend.stop()])
    await backend.stop()
    expect([opens, closes]).toEqual([1, 1])
    await backend.start()
    expect(opens).toBe(2)
    await backend.stop()
  })

  it('end an open that hangs when the last caller gives up, and close what it still brings', async () => {
    const opening = Promise.withResolvers<OpenedBackend>()
    let closed = false
    let life: AbortSignal | undefined
    const backend = defined({
      open: ({ signal }) => {
        life = signal
        return opening.promise
      }
    })
    const [first, second] = [new AbortController(), new AbortController()]
    const one = backend.start({ signal: first.signal })
    const two = backend.start({ signal: second.signal })
    const refused = [expect(one).rejects.toMatchObject({ code: 'ABORTED', operation: 'start', backend: 'test' })]
    first.abort()
    await refused[0]
    expect(life?.aborted).toBe(false)
    const rest = expect(two).rejects.toMatchObject({ code: 'ABORTED' })
    second.abort()
    await rest
    expect(life?.aborted).toBe(true)
    opening.resolve(opened({ close: async () => void (closed = true) }))
    await backend.stop()
    expect(closed).toBe(true)
  })

  it('an engine that opens in the moment of the abort does not run on, unless another call of start wants it', async () => {
    for (const wanted of [false, true]) {
      let closed = false
      const backend = defined({ open: async () => opened({ close: async () => void (closed = true) }) })
      const controller = new AbortController()
      const starting = backend.start({ signal: controller.signal })
      const other = wanted ? backend.start() : undefined
      controller.abort()
      await expect(starting).rejects.toMatchObject({ code: 'ABORTED' })
      await other
      if (wanted) expect(backend.self()).toHaveLength(1)
      else expect(() => backend.self()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
      await backend.stop()
      expect(closed).toBe(true)
    }
  })

  it('stop during start leaves nothing, and the next start waits for that', async () => {
    const order: string[] = []
    const opening = Promise.withResolvers<OpenedBackend>()
    let attempts = 0
    const backend = defined({
      open: async () => {
        order.push(`open ${++attempts}`)
        return attempts === 1 ? await opening.promise : opened()
      }
    })
    const starting = backend.start().catch((error: unknown) => error)
    await new Promise((resolve) => setImmediate(resolve))
    const stopping = backend.stop()
    const again = backend.start()
    opening.resolve(opened({ close: async () => void order.push('close 1') }))
    expect(await starting).toMatchObject({ code: 'NOT_RUNNING', operation: 'start' })
    await Promise.all([stopping, again])
    expect(order).toEqual(['open 1', 'close 1', 'open 2'])
    await backend.stop()
  })

  it('a failed start is classified, leaves nothing, and may be tried again', async () => {
    const cause = new Error('EADDRINUSE')
    let fail = true
    const backend = defined({
      open: async () => {
        if (fail) throw cause
        return opened()
      },
      classify: (error) => (error === cause ? { code: 'LOCKED', message: 'the port is taken' } : undefined)
    })
    await expect(backend.start()).rejects.toMatchObject({
      code: 'LOCKED',
      operation: 'start',
      backend: 'test',
      message: 'the port is taken',
      cause
    })
    fail = false
    await backend.start()
    await backend.stop()
  })

  it('stop resolves whatever the engine says, with a warning, and ends with its signal', async () => {
    const events: BackendEvent[] = []
    const broken = defined({ open: async () => opened({ close: () => Promise.reject(new Error('stuck socket')) }) })
    await broken.start({ onEvent: (event) => events.push(event) })
    await broken.stop()
    expect(events).toMatchObject([{ type: 'warning', backend: 'test', message: expect.stringContaining('stuck') }])
    const hanging = await started({ close: never })
    const controller = new AbortController()
    const stopping = expect(hanging.stop({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    controller.abort()
    await stopping
  })

  it('refuses an engine that lacks a declared hook, or has one too many parts, and closes it', async () => {
    let closed = 0
    const close = async (): Promise<void> => void closed++
    const fewer = { ...opened().blocks, gc: undefined } as unknown as NonNullable<OpenedBackend['blocks']>
    const lacking = defined({ open: async () => opened({ blocks: fewer, close }) })
    await expect(lacking.start()).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringContaining('blocks.gc')
    })
    const more = defined({ capabilities: { messages }, open: async () => opened({ close }) })
    await expect(more.start()).rejects.toMatchObject({ code: 'ENGINE', message: expect.stringContaining('blocks') })
    expect(closed).toBe(2)
  })

  it('tells events with the name of the backend, and none after the end', async () => {
    const events: BackendEvent[] = []
    let report: ((event: { type: 'recovered' }) => void) | undefined
    const backend = defined({
      open: async (options) => {
        report = options.report
        return opened()
      }
    })
    await backend.start({ onEvent: (event) => events.push(event) })
    report?.({ type: 'recovered' })
    await backend.stop()
    report?.({ type: 'recovered' })
    expect(events).toEqual([{ type: 'recovered', backend: 'test' }])
  })

  it('refines limits when the engine tells them', async () => {
    const refined = { messages: { ...messages, maxMessageBytes: 20 }, blocks, routing }
    const backend = await started({ capabilities: refined })
    expect(backend.capabilities.messages?.maxMessageBytes).toBe(20)
    await backend.messages?.publish('t', new Uint8Array(15))
    await expect(backend.messages?.publish('t', new Uint8Array(21))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await backend.stop()
  })
})
