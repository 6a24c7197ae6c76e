import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import {
  type BackendDefinition,
  type BackendEvent,
  type Block,
  type Capabilities,
  type DefinedBackend,
  defineBackend,
  type HookOptions,
  type OpenedBackend,
  P2plError,
  type Subscriber
} from '../../src/backend.ts'

const never = (): Promise<never> => new Promise(() => undefined)
const peer = { network: 'net', id: 'other', addresses: ['somewhere'] }
const messages: NonNullable<Capabilities['messages']> = {
  delivery: 'reliable',
  ordering: 'sender',
  echo: false,
  maxMessageBytes: 10,
  pacing: 0,
  peers: 'native',
  recipients: 'native',
  gaps: 'native',
  validation: 'native',
  sender: 'none'
}
const blocks: NonNullable<Capabilities['blocks']> = {
  maxBlockBytes: 10,
  persistence: 'none',
  remote: true,
  keepsFetched: true,
  pins: 'native',
  gc: 'native',
  hashes: [0x12]
}
const routing: NonNullable<Capabilities['routing']> = {
  provide: 'native',
  unprovide: 'native',
  findProviders: 'native',
  findPeer: 'native',
  connect: 'native',
  recordLifetime: Infinity
}

async function block(text = 'x'): Promise<Block> {
  const bytes = new TextEncoder().encode(text)
  return { cid: CID.createV1(0x55, await sha256.digest(bytes)), bytes }
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<IteratorResult<T>> {
  return await items[Symbol.asyncIterator]().next()
}

/** Hooks that answer; a test replaces what it is about. */
function opened(overrides: Partial<OpenedBackend> = {}): OpenedBackend {
  return {
    self: () => ({ id: 'self', addresses: [] }),
    close: async () => undefined,
    messages: {
      publish: async () => ({ recipients: 1 }),
      join: async () => ({ close: async () => undefined }),
      peers: async () => [peer]
    },
    blocks: {
      get: async () => new Uint8Array(1),
      putMany: async () => undefined,
      has: async () => true,
      delete: async () => undefined,
      pin: async () => undefined,
      unpin: async () => undefined,
      pins: async function* () {},
      gc: async function* () {}
    },
    routing: {
      provide: async () => undefined,
      unprovide: async () => undefined,
      findProviders: async function* () {
        yield peer
      },
      findPeer: async () => peer,
      connect: async () => undefined,
      disconnect: async () => undefined,
      connections: async () => [peer]
    },
    ...overrides
  }
}

function defined(definition: Partial<BackendDefinition> = {}): DefinedBackend<unknown> {
  return defineBackend({
    name: 'test',
    network: 'net',
    capabilities: { messages, blocks, routing },
    open: async () => opened(),
    ...definition
  })
}

async function started(overrides: Partial<OpenedBackend> = {}, definition: Partial<BackendDefinition> = {}) {
  const backend = defined({ open: async () => opened(overrides), ...definition })
  await backend.start()
  return backend
}

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

type AnyCall = (backend: DefinedBackend<unknown>, options?: { signal?: AbortSignal }) => Promise<unknown>

const calls: Readonly<Record<string, AnyCall>> = {
  'messages.publish': (b, o) => b.messages!.publish('t', new Uint8Array(1), o),
  'messages.subscribe': (b, o) => b.messages!.subscribe('t', { message: () => 'accept', gap: () => undefined }, o),
  'messages.peers': (b, o) => b.messages!.peers('t', o),
  'blocks.get': async (b, o) => b.blocks!.get((await block()).cid, o),
  'blocks.putMany': async (b, o) => b.blocks!.putMany([await block()], o),
  'blocks.has': async (b, o) => b.blocks!.has((await block()).cid, o),
  'blocks.delete': async (b, o) => b.blocks!.delete((await block()).cid, o),
  'blocks.pin': async (b, o) => b.blocks!.pin((await block()).cid, o),
  'blocks.unpin': async (b, o) => b.blocks!.unpin((await block()).cid, o),
  'blocks.pins': (b, o) => b.blocks!.pins(o)[Symbol.asyncIterator]().next(),
  'blocks.gc': (b, o) => b.blocks!.gc(o)[Symbol.asyncIterator]().next(),
  'routing.provide': async (b, o) => b.routing!.provide((await block()).cid, o),
  'routing.unprovide': async (b, o) => b.routing!.unprovide((await block()).cid, o),
  'routing.findProviders': async (b, o) => firstOf(b.routing!.findProviders((await block()).cid, o)),
  'routing.findPeer': (b, o) => b.routing!.findPeer('x', o),
  'routing.connect': (b, o) => b.routing!.connect(peer, o),
  'routing.disconnect': (b, o) => b.routing!.disconnect('x', o),
  'routing.connections': (b, o) => b.routing!.connections(o)
}

/** Every hook calls `hook` and settles as it does. */
function everyHook(hook: (options: HookOptions) => Promise<never>): OpenedBackend {
  const last = (...args: unknown[]): Promise<never> => hook(args.at(-1) as HookOptions)
  const any = (...args: unknown[]): AsyncIterable<never> => ({
    [Symbol.asyncIterator]: () => ({ next: () => last(...args), return: never })
  })
  return opened({
    messages: { publish: last, join: last, peers: last },
    blocks: { get: last, putMany: last, has: last, delete: last, pin: last, unpin: last, pins: any, gc: any },
    routing: {
      provide: last,
      unprovide: last,
      findProviders: any,
      findPeer: last,
      connect: last,
      disconnect: last,
      connections: last
    }
  })
}

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

describe('arguments', () => {
  it('are checked before the engine is asked', async () => {
    let asked = 0
    const backend = await started(
      everyHook(async () => {
        asked++
        return await never()
      })
    )
    const { messages: m, blocks: b, routing: r } = backend
    const good = await block()
    const truncated = CID.createV1(0x55, {
      code: 0x12,
      size: 20,
      digest: new Uint8Array(20),
      bytes: Uint8Array.of(0x12, 20, ...new Uint8Array(20))
    })
    const blake = CID.createV1(0x55, { code: 0x1e, size: 32, digest: new Uint8Array(32), bytes: new Uint8Array(34) })
    const subscriber: Subscriber = { message: () => 'accept', gap: () => undefined }
    const wrong: [string, () => unknown][] = [
      ['INVALID_ARGUMENT', () => m?.publish('', new Uint8Array(1))],
      ['INVALID_ARGUMENT', () => m?.publish('x'.repeat(1_025), new Uint8Array(1))],
      ['INVALID_ARGUMENT', () => m?.publish('t', 'text' as never)],
      ['TOO_LARGE', () => m?.publish('t', new Uint8Array(11))],
      ['INVALID_ARGUMENT', () => m?.subscribe('ü'.repeat(513), subscriber)],
      ['INVALID_ARGUMENT', () => m?.peers(5 as never)],
      ['INVALID_ARGUMENT', () => b?.get('bafk' as never)],
      ['UNSUPPORTED', () => b?.get(blake)],
      ['UNSUPPORTED', () => b?.get(truncated)],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { local: true, remote: true })],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { providers: peer as never })],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { providers: [{ id: 'x', addresses: [] } as never] })],
      ['INVALID_ARGUMENT', () => b?.putMany(good as never)],
      ['INVALID_ARGUMENT', () => b?.putMany([good.cid as never])],
      ['TOO_LARGE', () => b?.putMany([{ cid: good.cid, bytes: new Uint8Array(11) }])],
      ['UNSUPPORTED', () => b?.putMany([{ cid: truncated, bytes: new Uint8Array(1) }])],
      ['UNSUPPORTED', () => b?.putMany([{ cid: blake, bytes: new Uint8Array(1) }])],
      ['INVALID_ARGUMENT', () => b?.pin(good.cid, { maxBytes: -1 })],
      ['INVALID_ARGUMENT', () => r?.connect({ network: 'net', id: 'self', addresses: [] })],
      ['INVALID_ARGUMENT', () => r?.connect('/ip4/127.0.0.1' as never)],
      ['UNSUPPORTED', () => r?.connect({ ...peer, network: 'elsewhere' })],
      ['INVALID_ARGUMENT', () => r?.findPeer('')],
      ['INVALID_ARGUMENT', () => r?.findProviders(good.cid, { limit: 0 })[Symbol.asyncIterator]().next()]
    ]
    for (const [code, call] of wrong)
      await expect(call(), String(call)).rejects.toMatchObject({ code, backend: 'test' })
    expect(asked).toBe(0)
    await backend.stop()
  })

  it('a feature that is none is refused, and its hook never asked', async () => {
    const backend = defined({
      capabilities: {
        messages: { ...messages, peers: 'none' },
        blocks: { ...blocks, pins: 'none', gc: 'none', remote: false },
        routing: {
          ...routing,
          provide: 'none',
          unprovide: 'none',
          findProviders: 'none',
          findPeer: 'none',
          connect: 'none'
        }
      }
    })
    await backend.start()
    const { cid } = await block()
    const { messages: m, blocks: b, routing: r } = backend
    const refused = [
      m?.peers('t'),
      b?.pin(cid),
      b?.unpin(cid),
      b?.pins()[Symbol.asyncIterator]().next(),
      b?.gc()[Symbol.asyncIterator]().next(),
      b?.get(cid, { remote: true }),
      r?.provide(cid),
      r?.unprovide(cid),
      r?.findProviders(cid)[Symbol.asyncIterator]().next(),
      r?.findPeer('x'),
      r?.connect(peer),
      r?.disconnect('x'),
      r?.connections()
    ]
    for (const call of refused) await expect(call).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await backend.stop()
  })

  it('hints of other networks are left out, and providers are distinct and never the own peer', async () => {
    let hints: unknown
    const backend = await started({
      blocks: {
        ...(opened().blocks as NonNullable<OpenedBackend['blocks']>),
        get: async (_cid, { providers }) => {
          hints = providers
          return new Uint8Array(1)
        }
      },
      routing: {
        ...(opened().routing as NonNullable<OpenedBackend['routing']>),
        findProviders: async function* () {
          for (const id of ['a', 'self', 'a', 'b', 'c']) yield { network: 'net', id, addresses: [] }
        }
      }
    })
    const { cid } = await block()
    await backend.blocks?.get(cid, { providers: [{ ...peer, network: 'elsewhere' }, peer] })
    expect(hints).toEqual([peer])
    const found: string[] = []
    for await (const { id } of backend.routing?.findProviders(cid, { limit: 2 }) ?? []) found.push(id)
    expect(found).toEqual(['a', 'b'])
    await backend.stop()
  })
})

describe('subscriptions of one topic', () => {
  async function joining(): Promise<{
    backend: DefinedBackend<unknown>
    joins: { subscriber: Required<Subscriber>; closed: boolean }[]
  }> {
    const joins: { subscriber: Required<Subscriber>; closed: boolean }[] = []
    const backend = await started({
      messages: {
        publish: async () => ({ recipients: 0 }),
        peers: async () => [],
        join: async (_topic, subscriber) => {
          const join = { subscriber, closed: false }
          joins.push(join)
          return { close: async () => void (join.closed = true) }
        }
      }
    })
    return { backend, joins }
  }
  const recorder = (verdict: 'accept' | 'ignore' | 'reject' = 'accept') => {
    const heard: string[] = []
    const subscriber: Subscriber = {
      message: ({ payload }) => {
        heard.push(`message ${payload[0]}`)
        return verdict
      },
      gap: ({ reason }) => void heard.push(reason),
      state: (state) => void heard.push(state)
    }
    return { heard, subscriber }
  }
  const incoming = { payload: Uint8Array.of(7) }

  it('share one join, each gets everything once, and the last one leaves', async () => {
    const { backend, joins } = await joining()
    const [a, b] = [recorder(), recorder('ignore')]
    const [first, second] = await Promise.all([
      backend.messages!.subscribe('t', a.subscriber),
      backend.messages!.subscribe('t', b.subscriber)
    ])
    const again = await backend.messages!.subscribe('t', a.subscriber)
    expect(joins).toHaveLength(1)
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    joins[0]?.subscriber.state('healing')
    expect(b.heard).toEqual(['message 7', 'overflow', 'healing'])
    expect(a.heard).toHaveLength(6)
    await second?.close()
    expect(await joins[0]?.subscriber.message(incoming)).toBe('accept')
    expect(b.heard).toHaveLength(3)
    await first?.close()
    await first?.close()
    expect(joins[0]?.closed).toBe(false)
    await again.close()
    expect(joins[0]?.closed).toBe(true)
    await joins[0]?.subscriber.message(incoming)
    expect(a.heard.filter((item) => item === 'message 7')).toHaveLength(4)
    await backend.messages!.subscribe('t', a.subscriber)
    expect(joins).toHaveLength(2)
    await backend.stop()
  })

  it('that throw or reject count as ignore, and reject beats ignore', async () => {
    const { backend, joins } = await joining()
    const odd: Subscriber = {
      message: () => {
        throw new Error('odd')
      },
      gap: () => {
        throw new Error('odd')
      }
    }
    await backend.messages!.subscribe('t', odd)
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    await backend.messages!.subscribe('t', { message: () => Promise.reject(new Error('odd')), gap: () => undefined })
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    await backend.messages!.subscribe('t', { message: () => Promise.resolve('reject'), gap: () => undefined })
    expect(await joins[0]?.subscriber.message(incoming)).toBe('reject')
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    await backend.stop()
  })

  it('get nothing after the backend was stopped', async () => {
    const { backend, joins } = await joining()
    const { heard, subscriber } = recorder()
    await backend.messages!.subscribe('t', subscriber)
    await backend.stop()
    await joins[0]?.subscriber.message(incoming)
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    expect(heard).toEqual([])
  })

  it('an aborted one never delivers, though the engine joins later', async () => {
    const gate = Promise.withResolvers<void>()
    let inside: Required<Subscriber> | undefined
    let closed = false
    const backend = await started({
      messages: {
        publish: async () => ({ recipients: 0 }),
        peers: async () => [],
        join: async (_topic, subscriber) => {
          inside = subscriber
          await gate.promise
          return { close: async () => void (closed = true) }
        }
      }
    })
    const { heard, subscriber } = recorder()
    const controller = new AbortController()
    const subscribing = expect(
      backend.messages!.subscribe('t', subscriber, { signal: controller.signal })
    ).rejects.toMatchObject({ code: 'ABORTED' })
    controller.abort()
    await subscribing
    gate.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    await inside?.message(incoming)
    expect(heard).toEqual([])
    expect(closed).toBe(true)
    await backend.stop()
  })
})
