import { describe, expect, it } from 'vitest'
import { json, text as textCodec } from '../../src/index.ts'
import type { Codec } from '../../src/index.ts'
import { createBus } from '../support/bus.ts'
import { settle } from '../support/virtual-clock.ts'
import { testPeer, text } from './support.ts'

describe('a codec', () => {
  it('belongs to its handle: the same topic may be read by several', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscriptions = [
      b.topics.handle('t', { codec: json }).subscribe(),
      b.topics.handle('t', { codec: textCodec }).subscribe(),
      b.signed.subscribe()
    ]
    await Promise.all(subscriptions.map(({ joined }) => joined))
    await a.topics.handle('t', { codec: json }).publish({ x: 1 })
    const values = await Promise.all(subscriptions.map(async (each) => (await each.next()).value as unknown))
    expect(values).toMatchObject([{ payload: { x: 1 } }, { payload: '{"x":1}' }, { payload: text('{"x":1}') }])
  })

  it.each(['before', 'after'])('that gives a promise ends in a typed error, read %s the message', async (order) => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const odd: Codec<unknown> = {
      name: 'odd',
      encode: () => new Uint8Array(),
      decode: async () => await Promise.reject(new Error('odd'))
    }
    const subscription = b.topics.handle('t', { codec: odd }).subscribe()
    await subscription.joined
    const read = (): Promise<unknown> => expect(subscription.next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const reading = order === 'before' ? read() : undefined
    await a.signed.publish(text('x'))
    await settle()
    await (reading ?? read())
    expect(b.signed.stats().delivered).toBe(1)
  })

  it('of text keeps a byte order mark, and refuses what UTF-8 cannot write', () => {
    for (const value of ['\ufeffmarked', '\ufeff', 'a\0b', '\u{1f600}'])
      expect(textCodec.decode(textCodec.encode(value))).toBe(value)
    expect(() => textCodec.encode('half \ud83d')).toThrow('surrogate')
    expect(json.decode(json.encode('half \ud83d'))).toBe('half \ud83d')
  })

  it('of JSON names what it cannot write', () => {
    expect(() => json.encode(undefined)).toThrow('no form for undefined')
    expect(() => json.encode(() => 1)).toThrow('no form for a function')
  })
})

describe('a name with half a surrogate pair', () => {
  it('is refused, and does not become the name of another topic', async () => {
    const a = await testPeer(createBus(), 'a')
    expect(() => a.topics.handle('half \ud83d')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    await expect(a.signed.publish(text('x'), { headers: { name: 'half \ud83d' } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })
  })
})

describe('a call that fails', () => {
  it('leaves no topic behind', async () => {
    const a = await testPeer(createBus(), 'a')
    const before = a.topics.size
    const fail = async (call: () => unknown): Promise<void> => {
      await expect((async () => await call())()).rejects.toMatchObject({ code: expect.any(String) as string })
    }
    for (let i = 0; i < 20; i++) {
      const topic = a.topics.handle<unknown>(`topic ${i}`)
      await fail(() => topic.subscribe({ maxQueuedMessages: -1 }))
      await fail(() => topic.subscribe({ signal: AbortSignal.abort() }))
      await fail(() => topic.publish('text'))
      await fail(() => topic.publish(text('x'), { signal: AbortSignal.abort() }))
      await fail(() => topic.publish(text('x'), { recipients: -1 }))
      await fail(() => topic.publish(new Uint8Array(17 * 1024 * 1024)))
    }
    expect(a.topics.size).toBe(before)
  })
})

describe('a listener of a state that throws', () => {
  it('disturbs neither the subscription nor the others', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const uncaught: unknown[] = []
    const note = (error: unknown): void => void uncaught.push(error)
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', note)
    try {
      const [first, second] = [b.signed.subscribe(), b.signed.subscribe()]
      const odd = new Error('odd')
      first.onState(() => {
        throw odd
      })
      const states: string[] = []
      first.onState((state) => states.push(state))
      second.onState((state) => states.push(state))
      await Promise.all([first.joined, second.joined])
      await a.signed.publish(text('x'))
      expect(await first.next()).toMatchObject({ value: { payload: text('x') } })
      await settle()
      expect(states).toEqual(['live', 'live'])
      expect(uncaught).toEqual([odd])
      await second.close()
    } finally {
      process.off('uncaughtException', note)
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })
})
