import { describe, expect, it } from 'vitest'
import type { Message, SubscribeOptions } from '../../src/api/topic.ts'
import { P2plError } from '../../src/errors.ts'
import { TopicSubscription } from '../../src/topic/subscription.ts'
import { systemClock } from '../../src/clock.ts'
import { createBus } from '../support/bus.ts'
import { testPeer, take, text } from './support.ts'

const message = (sequence: number, size = 1): Message => ({
  type: 'message',
  topic: 't',
  payload: new Uint8Array(size),
  sender: 's',
  sequence,
  id: `s/0/${sequence}`,
  headers: {}
})

function queue(
  options: SubscribeOptions,
  joined: Promise<void> = Promise.resolve()
): TopicSubscription<Message, Message> {
  return new TopicSubscription({
    topic: 't',
    clock: systemClock,
    options,
    maxPayloadBytes: Infinity,
    joined,
    present: (item) => item,
    onClose: async () => undefined
  })
}

describe('subscription queue', () => {
  it('drops the oldest when full, with a gap in its place', async () => {
    const subscription = queue({ maxQueuedMessages: 3 })
    for (let i = 0; i < 10; i++) subscription.push(message(i))
    expect(await take(subscription, 4)).toMatchObject([
      { type: 'gap', reason: 'queue', count: 7 },
      { sequence: 7 },
      { sequence: 8 },
      { sequence: 9 }
    ])
  })

  it('drops the newest where asked, with a gap in its place', async () => {
    const subscription = queue({ maxQueuedMessages: 3, overflow: 'newest' })
    for (let i = 0; i < 10; i++) subscription.push(message(i))
    expect(await take(subscription, 4)).toMatchObject([
      { sequence: 0 },
      { sequence: 1 },
      { sequence: 2 },
      { type: 'gap', reason: 'queue', count: 7 }
    ])
    subscription.push(message(10))
    expect(await take(subscription, 1)).toMatchObject([{ sequence: 10 }])
  })

  it('counts bytes, and still takes a single message over the limit', async () => {
    const subscription = queue({ maxQueuedBytes: 100 })
    subscription.push(message(0, 60))
    subscription.push(message(1, 60))
    subscription.push(message(2, 500))
    expect(await take(subscription, 2)).toMatchObject([{ reason: 'queue', count: 2 }, { sequence: 2 }])
  })

  it('stays bounded when nothing but gaps arrives', async () => {
    const subscription = queue({ maxQueuedMessages: 4 })
    for (let i = 0; i < 100_000; i++) {
      subscription.push({
        type: 'gap',
        topic: 't',
        reason: 'missing',
        at: 0,
        sender: 's',
        first: i * 2,
        last: i * 2,
        count: 1
      })
    }
    await subscription.close()
    const items = await take(subscription, Infinity)
    expect(items.length).toBeLessThan(40)
    expect(items.reduce((sum, item) => sum + (item.type === 'gap' ? (item.count ?? 0) : 0), 0)).toBe(100_000)
  })

  it('loses nothing over many messages read in turns', async () => {
    const subscription = queue({})
    let next = 0
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 997; i++) subscription.push(message(round * 997 + i))
      for (const item of await take(subscription, 997)) expect(item).toMatchObject({ sequence: next++ })
    }
  })

  it('ends after what is queued when closed, at once when its reader returns', async () => {
    const [closed, returned] = [queue({}), queue({})]
    for (const subscription of [closed, returned]) subscription.push(message(0))
    await closed.close()
    expect(await take(closed, 9)).toHaveLength(1)
    await returned.return()
    expect(await take(returned, 9)).toHaveLength(0)
  })

  it('throws what joining failed with, from joined and from the iteration', async () => {
    const error = new P2plError({ code: 'UNREACHABLE', message: 'down' })
    const subscription = queue({}, Promise.reject(error))
    await expect(subscription.joined).rejects.toBe(error)
    await expect(subscription.next()).rejects.toBe(error)
  })
})

describe('topic subscriptions', () => {
  it('joins once for many, and leaves with the last', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const [one, two] = [b.signed.subscribe(), b.signed.subscribe()]
    await Promise.all([one.joined, two.joined])
    await a.signed.publish(text('x'))
    expect([await take(one, 1), await take(two, 1)]).toMatchObject([[{ sequence: 0 }], [{ sequence: 0 }]])
    await one.close()
    expect(await a.signed.peers()).toHaveLength(1)
    await two.close()
    expect(await a.signed.peers()).toHaveLength(0)
    const again = b.signed.subscribe()
    await again.joined
    expect(await a.signed.peers()).toHaveLength(1)
  })

  it('is closed by its signal', async () => {
    const a = await testPeer(createBus(), 'a')
    const controller = new AbortController()
    const subscription = a.signed.subscribe({ signal: controller.signal })
    const next = subscription.next()
    controller.abort()
    expect(await next).toEqual({ value: undefined, done: true })
  })

  it('names a wrong option', async () => {
    const a = await testPeer(createBus(), 'a')
    for (const options of [{ maxQueuedMessages: 0 }, { maxQueuedBytes: Number.NaN }, { overflow: 'both' }]) {
      expect(() => a.signed.subscribe(options as SubscribeOptions)).toThrow(Object.keys(options)[0])
    }
  })

  it('is ready when enough peers are there, and says when they are not', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    await b.signed.subscribe().joined
    await a.signed.ready()
    const clock = a.clock
    const waiting = expect(a.signed.ready({ peers: 2, timeout: 1_000 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(1_100)
    await waiting
  })

  it('says so where the engine cannot tell who is there', async () => {
    const a = await testPeer(createBus(), 'a', { capabilities: { peers: 'none', recipients: 'none' } })
    await expect(a.signed.ready()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(a.signed.publish(text('x'), { recipients: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expect(await a.signed.publish(text('x'))).toMatchObject({ recipients: undefined })
  })
})

describe('raw topic', () => {
  it("carries bare payloads, one each, and the engine's sender", async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscription = b.raw.subscribe()
    await subscription.joined
    await Promise.all([a.raw.publish(text('x')), a.raw.publish(text('x'))])
    expect(bus.published.map(({ payload }) => payload)).toEqual([text('x'), text('x')])
    expect(await take(subscription, 2)).toEqual([
      { type: 'message', topic: 't', payload: text('x'), sender: 'a' },
      { type: 'message', topic: 't', payload: text('x'), sender: 'a' }
    ])
  })

  it('drops exactly its own echo', async () => {
    const bus = createBus()
    const capabilities = { echo: true, recipients: 'none' } as const
    const a = await testPeer(bus, 'a', { capabilities })
    const other = await testPeer(bus, 'a', { capabilities })
    const subscription = a.raw.subscribe()
    await subscription.joined
    await a.raw.publish(text('mine'))
    await other.raw.publish(text('another peer of the same engine'))
    await other.raw.publish(text('mine'))
    await subscription.close()
    expect(
      (await take(subscription, 9)).map((item) => item.type === 'message' && new TextDecoder().decode(item.payload))
    ).toEqual(['another peer of the same engine', 'mine'])
  })

  it('refuses what the engine cannot carry, with the way out', async () => {
    const a = await testPeer(createBus(), 'a', { capabilities: { maxMessageBytes: 10 } })
    await expect(a.raw.publish(new Uint8Array(11))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })
})
