import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import { P2plError } from '../../src/errors.ts'
import { sealEnvelope } from '../../src/envelope/envelope.ts'
import { createBus } from '../support/bus.ts'
import { fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, payloads, take, text } from './support.ts'

const topicBytes = text('t')

describe('signed topic', () => {
  it('delivers with sender, number and id, equal at sender and receiver', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscription = b.signed.subscribe()
    await subscription.joined
    const receipt = await a.signed.publish(text('hello'))
    expect(receipt.recipients).toBe(1)
    const [item] = await take(subscription, 1)
    expect(item).toMatchObject({ type: 'message', topic: 't', sender: a.identity.id, sequence: 0, id: receipt.id })
    expect(payloads([item!])).toEqual(['hello'])
  })

  it('coalesces what queues up into few envelopes, in order', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscription = b.signed.subscribe()
    await subscription.joined
    const sent = Array.from({ length: 2_500 }, (_, i) => `m${i}`)
    const receipts = await Promise.all(sent.map(async (value) => await a.signed.publish(text(value))))
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(2_500)
    expect(payloads(await take(subscription, 2_500))).toEqual(sent)
    expect(bus.published.length).toBe(3)
    expect(a.signed.stats()).toMatchObject({ published: 2_500, envelopes: 3 })
  })

  it('keeps envelopes below the limit, and takes the largest payload that fits inline', async () => {
    const bus = createBus()
    const limits = { maxEnvelopeBytes: 8_192 }
    const [a, b] = [await testPeer(bus, 'a', { limits }), await testPeer(bus, 'b', { limits })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await Promise.all([a.signed.publish(new Uint8Array(7_900)), a.signed.publish(new Uint8Array(7_900))])
    const items = await take(subscription, 2)
    expect(items.map((item) => item.type === 'message' && item.payload.byteLength)).toEqual([7_900, 7_900])
    expect(Math.max(...bus.published.map(({ payload }) => payload.byteLength))).toBeLessThanOrEqual(8_192)
  })

  it('waits for a first recipient, and gives up within its timeout', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const patient = a.signed.publish(text('first'), { timeout: 5_000 })
    const hasty = a.signed.publish(text('lost'), { timeout: 100 })
    const careless = a.signed.publish(text('whatever'), { recipients: 0 })
    const failure = expect(hasty).rejects.toMatchObject({ code: 'NO_PEERS', retryable: true })
    await clock.advance(200)
    await failure
    await careless
    const subscription = b.signed.subscribe()
    await subscription.joined
    await clock.advance(1_000)
    expect((await patient).recipients).toBe(1)
    // "whatever" went out with a try that nobody heard: it is not sent again.
    expect(payloads(await take(subscription, 1))).toEqual(['first'])
  })

  it('sends again what the engine refused for now, and delivers it once', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    bus.failure = new P2plError({ code: 'OVERLOADED', message: 'busy' })
    const published = a.signed.publish(text('x'))
    await clock.advance(100)
    bus.failure = undefined
    await clock.advance(500)
    await published
    expect(payloads(await take(subscription, 1))).toEqual(['x'])
    expect(b.signed.stats().delivered).toBe(1)
  })

  it('rejects at once what will never succeed, and with the last error what did not in time', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock })
    bus.failure = new P2plError({ code: 'UNAUTHORIZED', message: 'no token' })
    await expect(a.signed.publish(text('x'))).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    bus.failure = new P2plError({ code: 'UNREACHABLE', message: 'down' })
    const failing = expect(a.signed.publish(text('x'), { timeout: 300 })).rejects.toMatchObject({
      code: 'UNREACHABLE'
    })
    await clock.advance(400)
    await failing
  })

  it('aborts a waiting publish', async () => {
    const a = await testPeer(createBus(), 'a')
    const controller = new AbortController()
    const published = a.signed.publish(text('x'), { signal: controller.signal })
    controller.abort()
    await expect(published).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(a.signed.publish(text('x'), { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('bounds its queue: publish waits for room, then says how to get some', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock, limits: { maxPublishQueueBytes: 1_000 } })
    const first = expect(a.signed.publish(new Uint8Array(900), { timeout: 10_000 })).rejects.toMatchObject({
      code: 'NO_PEERS'
    })
    const second = expect(a.signed.publish(new Uint8Array(900), { timeout: 1_000 })).rejects.toMatchObject({
      code: 'OVERLOADED'
    })
    await clock.advance(11_000)
    await Promise.all([first, second])
  })

  it('keeps the pace that the engine asks for', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock, capabilities: { pacing: 10, recipients: 'none' } })
    const all: Array<Promise<unknown>> = []
    for (let i = 0; i < 30; i++) {
      all.push(a.signed.publish(text(`${i}`)))
      await clock.advance(1)
    }
    await clock.advance(10)
    await Promise.all(all)
    // One at once, then one every 10 ms.
    expect(bus.published.length).toBe(4)
  })

  it('keeps a longer distance after a larger envelope', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock, capabilities: { pacing: 10, recipients: 'none' } })
    // 192 KiB: three times the distance.
    const large = a.signed.publish(new Uint8Array(192 * 1024))
    await clock.advance(0)
    const small = a.signed.publish(text('next'))
    await clock.advance(29)
    expect(bus.published.length).toBe(1)
    await clock.advance(2)
    await Promise.all([large, small])
    expect(bus.published.length).toBe(2)
  })

  it('reports a hole in the numbers of a sender as a gap, after the grace period', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('0'))
    bus.route = () => 'drop'
    await a.signed.publish(text('1'))
    await a.signed.publish(text('2'))
    bus.route = () => 'deliver'
    await a.signed.publish(text('3'))
    expect(payloads(await take(subscription, 2))).toEqual(['0', '3'])
    await clock.advance(2_000)
    expect(await take(subscription, 1)).toEqual([
      {
        type: 'gap',
        topic: 't',
        reason: 'missing',
        at: clock.wall() - 1_000,
        sender: a.identity.id,
        first: 1,
        last: 2,
        count: 2
      }
    ])
  })

  it('reports the lost tail of a stream though nothing follows it', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('0'))
    bus.route = () => 'drop'
    await a.signed.publish(text('1'))
    await clock.advance(3_500)
    bus.route = () => 'deliver'
    await clock.advance(20_000)
    expect(await take(subscription, 2)).toMatchObject([{ type: 'message' }, { reason: 'missing', first: 1, last: 1 }])
  })

  it('misses the first messages of a sender that began after the subscriber joined', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    bus.route = () => 'drop'
    await a.signed.publish(text('0'))
    bus.route = () => 'deliver'
    await a.signed.publish(text('1'))
    await clock.advance(2_000)
    expect(await take(subscription, 2)).toMatchObject([{ sequence: 1 }, { reason: 'missing', first: 0, last: 0 }])
  })

  it('does not miss what was sent before the subscriber joined', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    await a.signed.publish(text('0'), { recipients: 0 })
    await clock.advance(60_000)
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('1'))
    await clock.advance(2_000)
    await subscription.close()
    expect(await take(subscription, 9)).toMatchObject([{ type: 'message', sequence: 1 }])
  })

  it('drops garbage, oversized, forged, duplicate and replayed envelopes, and counts each', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const old = await testPeer(bus, 'a', { clock, identity: fakeIdentity(1) })
    const b = await testPeer(bus, 'b', { clock, limits: { maxEnvelopeBytes: 20_000 } })
    const subscription = b.signed.subscribe()
    await subscription.joined
    await old.signed.publish(text('old session'))
    const recorded = bus.published[0]!.payload
    const forged = new Uint8Array(recorded)
    forged[forged.length - 1] = forged[forged.length - 1]! ^ 1
    await old.signed.publish(text('old session, 2'))
    bus.inject('t', text('not an envelope'))
    bus.inject('t', new Uint8Array(20_001))
    bus.inject('t', forged)
    bus.inject('t', recorded)
    await clock.advance(10)
    // Some restarts of the sender later, its first session is over.
    for (const _ of [1, 2, 3, 4]) {
      await clock.advance(10)
      const again = await testPeer(bus, 'a', { clock, identity: fakeIdentity(1) })
      await again.signed.publish(text('new session'))
    }
    bus.inject('t', recorded)
    await settle()
    await subscription.close()
    expect(payloads(await take(subscription, 9))).toEqual([
      'old session',
      'old session, 2',
      'new session',
      'new session',
      'new session',
      'new session'
    ])
    expect(b.signed.stats().dropped).toEqual({
      garbage: 1,
      oversized: 1,
      forged: 1,
      duplicate: 1,
      replayed: 1,
      overloaded: 0
    })
  })

  it('has the engine reject garbage before it is passed on, where that is possible', async () => {
    const bus = createBus()
    const capabilities = { validation: 'native' } as const
    const [a, b] = [await testPeer(bus, 'a', { capabilities }), await testPeer(bus, 'b', { capabilities })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    bus.inject('t', text('garbage'))
    bus.inject(
      't',
      await sealEnvelope(
        topicBytes,
        { publicKey: a.identity.publicKey, session: 1, age: 0, sent: 0, first: 0, messages: [], providers: [] },
        fakeIdentity()
      )
    )
    await a.signed.publish(text('fine'))
    expect(payloads(await take(subscription, 1))).toEqual(['fine'])
    expect(b.signed.stats().dropped).toMatchObject({ garbage: 1, forged: 1 })
  })

  it('bounds the envelopes that wait to be checked, and says that it dropped some', async () => {
    const bus = createBus()
    const b = await testPeer(bus, 'b', { limits: { maxPendingBytes: 4 * 65 } })
    const subscription = b.signed.subscribe()
    await subscription.joined
    // 32 are checked at once, 4 have room to wait.
    for (let i = 0; i < 42; i++) bus.inject('t', text(String.fromCharCode(48 + i)))
    expect(b.signed.stats().dropped.overloaded).toBe(6)
    expect(await take(subscription, 1)).toMatchObject([{ type: 'gap', topic: 't', reason: 'overflow' }])
  })

  it('remembers a bounded number of senders', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const b = await testPeer(bus, 'b', { clock, limits: { maxSenders: 3 } })
    const subscription = b.signed.subscribe()
    await subscription.joined
    for (let i = 0; i < 10; i++) {
      await (await testPeer(bus, `s${i}`, { clock })).signed.publish(text(`${i}`))
      await clock.advance(5)
    }
    expect(payloads(await take(subscription, 10))).toHaveLength(10)
  })

  it('drops its own messages when the engine gives them back, and delivers them where echo is wanted', async () => {
    const bus = createBus()
    const a = await testPeer(bus, 'a', { capabilities: { echo: true, recipients: 'none' } })
    const [plain, echo] = [a.signed.subscribe(), a.signed.subscribe({ echo: true })]
    await Promise.all([plain.joined, echo.joined])
    const receipt = await a.signed.publish(text('x'))
    await settle()
    await Promise.all([plain.close(), echo.close()])
    expect(await take(plain, 9)).toEqual([])
    expect(await take(echo, 9)).toMatchObject([{ type: 'message', id: receipt.id, sender: a.identity.id }])
  })

  it('warns when two running peers share one identity', async () => {
    const bus = createBus()
    const identity = fakeIdentity()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock, identity })
    const b = await testPeer(bus, 'b', { clock, identity })
    await b.signed.subscribe().joined
    await a.signed.publish(text('x'))
    await settle()
    expect(b.events).toMatchObject([{ type: 'warning', message: expect.stringContaining('identity') as string }])
  })

  it("passes the engine's gaps on", async () => {
    const bus = createBus()
    const b = await testPeer(bus, 'b')
    const messages = b.transport
    let gap: (() => void) | undefined
    const subscribe = messages.subscribe.bind(messages)
    messages.subscribe = async (topic, subscriber, options) => {
      gap = () => {
        subscriber.gap({ reason: 'disconnected' })
      }
      return await subscribe(topic, subscriber, options)
    }
    const subscription = b.signed.subscribe()
    await subscription.joined
    gap?.()
    expect(await take(subscription, 1)).toMatchObject([{ type: 'gap', topic: 't', reason: 'disconnected' }])
  })
})

describe('claim check', () => {
  const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  const large = new Uint8Array(300 * 1024).fill(3)

  it('sends a large payload as a CID with a hint of its own, and delivers it whole', async () => {
    const bus = createBus()
    let asked: unknown
    const a = await testPeer(bus, 'a', { claims: { put: async () => cid, get: async () => large } })
    const b = await testPeer(bus, 'b', {
      claims: {
        put: async () => cid,
        get: async ({ cid: wanted, size, providers }) => {
          asked = { wanted: wanted.toString(), size, providers }
          return large
        }
      }
    })
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(large)
    const [item] = await take(subscription, 1)
    expect(item).toMatchObject({ type: 'message', sequence: 0 })
    expect(item?.type === 'message' && item.payload).toEqual(large)
    const providers = [{ network: 'bus', id: 'a', addresses: [] }]
    expect(asked).toEqual({ wanted: cid.toString(), size: large.byteLength, providers })
    expect(bus.published[0]!.payload.byteLength).toBeLessThan(1_000)
  })

  it('reports a payload that cannot be fetched, or is announced too large, as a gap', async () => {
    const bus = createBus()
    const claims = {
      put: async () => cid,
      get: async () => {
        throw new P2plError({ code: 'NOT_FOUND', message: 'gone' })
      }
    }
    const a = await testPeer(bus, 'a', { claims })
    const b = await testPeer(bus, 'b', { claims, limits: { maxPayloadBytes: 400 * 1024 } })
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(large)
    await a.signed.publish(new Uint8Array(500 * 1024))
    const gaps = await take(subscription, 2)
    expect(gaps).toMatchObject([
      { reason: 'unavailable', first: 0 },
      { reason: 'oversized', first: 1 }
    ])
    expect(b.signed.stats().dropped.oversized).toBe(1)
  })

  it('says what to do where there is no data backend, or the payload is over the limit', async () => {
    const a = await testPeer(createBus(), 'a')
    await expect(a.signed.publish(large)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('data') as string
    })
    await expect(a.signed.publish(new Uint8Array(17 * 1024 * 1024))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })
})
