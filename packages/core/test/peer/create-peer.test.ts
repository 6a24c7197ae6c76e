import { describe, expect, it } from 'vitest'
import { aroundCalls } from '../../src/backend.ts'
import type { Backend, BackendEvent, PeerInfo, SecretStore, StartOptions } from '../../src/backend.ts'
import { P2plError } from '../../src/errors.ts'
import { createPeer } from '../../src/index.ts'
import type { PeerOptions } from '../../src/index.ts'
import { createBus } from '../support/bus.ts'

interface Recorded {
  readonly backend: Backend
  readonly calls: string[]
}

/** A message backend that records its lifecycle. */
function recorded(name: string, overrides: Partial<Backend> = {}): Recorded {
  const calls: string[] = []
  const inner = createBus().backend(name)
  const backend: Backend = {
    name,
    capabilities: inner.capabilities,
    self: () => inner.self(),
    messages: inner.messages,
    start: async () => {
      calls.push('start')
      await inner.start()
    },
    stop: async () => {
      calls.push('stop')
      await inner.stop()
    },
    ...overrides
  }
  return { backend, calls }
}

describe('createPeer', () => {
  it('starts the backend, and stops it once', async () => {
    const { backend, calls } = recorded('one')
    const peer = await createPeer({ backend })
    expect(peer.id).toMatch(/^12D3KooW/)
    await Promise.all([peer.stop(), peer.stop(), peer[Symbol.asyncDispose]()])
    expect(calls).toEqual(['start', 'stop'])
  })

  it('refuses every call after stop, and rejects what is under way', async () => {
    const peer = await createPeer({ backend: recorded('one').backend })
    const topic = peer.topic('t')
    const subscription = topic.subscribe()
    const published = topic.publish(new Uint8Array(1))
    const failed = expect(published).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await subscription.joined
    await peer.stop()
    await failed
    expect(await subscription.next()).toEqual({ value: undefined, done: true })
    expect(() => peer.topic('t')).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
    expect(() => topic.subscribe()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
    expect(() => peer.network.self()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
    await expect(topic.publish(new Uint8Array(1))).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await expect(topic.ready()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await expect(peer.network.connections()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  })

  it('leaves nothing running when one of two backends does not start', async () => {
    const cause = new P2plError({ code: 'LOCKED', message: 'in use' })
    const good = recorded('good')
    const bad = recorded('bad', {
      capabilities: { blocks: {} as NonNullable<Backend['capabilities']['blocks']> },
      start: async () => {
        throw cause
      }
    })
    await expect(createPeer({ messages: good.backend, data: bad.backend })).rejects.toBe(cause)
    expect(good.calls.slice(0, 2)).toEqual(['start', 'stop'])
    expect(bad.calls).toContain('stop')
  })

  it('takes one backend for messages and another for data, and says what is missing', async () => {
    const { backend } = recorded('messages only')
    await expect(createPeer({ messages: backend, data: backend })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const peer = await createPeer({ backend })
    await expect(peer.data.add(new Uint8Array(1))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(peer.network.connect({ network: 'bus', id: 'x', addresses: [] })).rejects.toMatchObject({
      code: 'UNSUPPORTED'
    })
    await expect(peer.network.connections()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await peer.stop()
  })

  it('connects on the backend whose network the peer is on', async () => {
    const asked: string[] = []
    const routed = (name: string, failure?: P2plError): Backend => {
      const { backend } = recorded(name)
      return {
        ...backend,
        capabilities: {
          ...backend.capabilities,
          blocks: {} as NonNullable<Backend['capabilities']['blocks']>,
          routing: {
            provide: 'none',
            unprovide: 'none',
            findProviders: 'none',
            findPeer: 'none',
            connect: 'native',
            recordLifetime: Infinity
          }
        },
        self: () => [{ network: name, id: `${name}-self`, addresses: [] }],
        routing: {
          bootstrap: [],
          connect: async (peer: PeerInfo) => {
            asked.push(`${name} ${peer.id}`)
            if (failure !== undefined) throw failure
          }
        } as unknown as NonNullable<Backend['routing']>
      }
    }
    const x = { network: 'b', id: 'x', addresses: [] }
    const peer = await createPeer({ messages: routed('a'), data: routed('b') })
    expect(peer.network.self().map(({ network }) => network)).toEqual(['b', 'a'])
    await peer.network.connect(x)
    expect(asked).toEqual(['b x'])
    // All that another peer says of itself: one network is enough.
    await peer.network.connect([{ network: 'c', id: 'x', addresses: [] }, x])
    await peer.stop()
    const down = new P2plError({ code: 'UNREACHABLE', message: 'down' })
    const none = await createPeer({ messages: routed('a'), data: routed('b', down) })
    await expect(none.network.connect(x)).rejects.toBe(down)
    await none.stop()
  })

  it('hands events of backends to the app', async () => {
    const events: BackendEvent[] = []
    const { backend } = recorded('one', {
      start: async (options?: StartOptions) => {
        options?.onEvent?.({ type: 'warning', backend: 'one', message: 'careful' })
      }
    })
    const peer = await createPeer({ backend, onEvent: (event) => events.push(event) })
    expect(events).toEqual([{ type: 'warning', backend: 'one', message: 'careful' }])
    await peer.stop()
  })

  it('names wrong options', async () => {
    const { backend } = recorded('one')
    const wrong: unknown[] = [
      {},
      { backend: {} },
      undefined,
      null,
      { messages: backend },
      { backend, messages: backend },
      { backend, data: backend },
      { backend, trust: 'everybody' },
      { backend, onEvent: 'log' },
      { backend, identity: Promise.resolve() },
      { backend, limits: { maxEnvelopeBytes: 100 } },
      { backend, limits: { toString: 1 } },
      { backend, limits: { maxPayload: 1 } },
      { backend, limits: { maxSenders: 0 } },
      { backend, timeouts: { get: '5s' } },
      { backend, timeout: 5 },
      { backend, environment: { time: 1 } },
      { backend, durability: 'always' }
    ]
    for (const options of wrong) {
      await expect(createPeer(options as PeerOptions)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    const peer = await createPeer({ backend })
    for (const name of ['', 'x'.repeat(1_025), 'ü'.repeat(513)]) {
      expect(() => peer.topic(name)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    await peer.stop()
  })

  it('gives typed errors for what a backend throws that is none', async () => {
    const odd = new TypeError('odd')
    const fail = async (): Promise<never> => {
      throw odd
    }
    const typed = { code: 'ENGINE', backend: 'one', cause: odd }
    const { backend: broken } = recorded('one', { start: fail })
    await expect(createPeer({ backend: broken })).rejects.toMatchObject({ ...typed, operation: 'start' })
    const { backend } = recorded('one')
    const routing = { findPeer: fail, connect: fail, disconnect: fail, connections: fail }
    const peer = await createPeer({
      backend: {
        ...backend,
        stop: fail,
        capabilities: {
          ...backend.capabilities,
          routing: { findPeer: 'native', connect: 'native' } as NonNullable<Backend['capabilities']['routing']>
        },
        routing: { bootstrap: [], ...routing } as unknown as NonNullable<Backend['routing']>
      }
    })
    const { network } = peer
    await expect(network.findPeer('x')).rejects.toMatchObject({ ...typed, operation: 'network.findPeer' })
    await expect(network.connect({ network: 'bus', id: 'x', addresses: [] })).rejects.toMatchObject({
      ...typed,
      operation: 'network.connect'
    })
    await expect(network.disconnect('x')).rejects.toMatchObject({ ...typed, operation: 'network.disconnect' })
    await expect(network.connections()).rejects.toMatchObject({ ...typed, operation: 'network.connections' })
    await expect(peer.stop()).rejects.toMatchObject({ ...typed, operation: 'stop' })
  })

  it('gives up starting when its signal fires', async () => {
    const { backend } = recorded('one', { start: async () => await new Promise(() => undefined) })
    const controller = new AbortController()
    const starting = createPeer({ backend, signal: controller.signal })
    controller.abort()
    await expect(starting).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('lets one backend serve one peer, and the next one when that has stopped', async () => {
    const { backend } = recorded('one')
    const first = await createPeer({ backend })
    await expect(createPeer({ backend })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await first.stop()
    await (await createPeer({ backend })).stop()
    // Also behind a layer.
    const shared = createBus().backend('shared')
    const layered = aroundCalls({})(shared)
    const peer = await createPeer({ backend: shared })
    await expect(createPeer({ backend: layered })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await peer.stop()
  })

  it('keeps its identity where the backend keeps secrets', async () => {
    const kept = new Map<string, Uint8Array>()
    const secrets: SecretStore = {
      get: async (name) => kept.get(name),
      set: async (name, secret) => void kept.set(name, secret)
    }
    const first = await createPeer({ backend: recorded('one', { secrets }).backend })
    const second = await createPeer({ backend: recorded('two', { secrets }).backend })
    expect(second.id).toBe(first.id)
    kept.set('identity', new Uint8Array(31))
    await expect(createPeer({ backend: recorded('three', { secrets }).backend })).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('remove it') as string
    })
    await Promise.all([first.stop(), second.stop()])
  })

  it('refuses a backend that keeps less than the app wants', async () => {
    const { backend } = recorded('one')
    await expect(createPeer({ backend, durability: 'process' })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('has any number of listeners', async () => {
    let emit: StartOptions['onEvent']
    const { backend } = recorded('one', {
      start: async (options?: StartOptions) => {
        emit = options?.onEvent
      }
    })
    const peer = await createPeer({ backend })
    const heard: string[] = []
    const end = peer.onEvent(() => heard.push('a'))
    peer.onEvent(() => heard.push('b'))
    emit?.({ type: 'recovered', backend: 'one' })
    end()
    emit?.({ type: 'recovered', backend: 'one' })
    expect(heard).toEqual(['a', 'b', 'b'])
    await peer.stop()
  })
})
