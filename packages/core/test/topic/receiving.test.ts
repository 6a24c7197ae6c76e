import { describe, expect, it } from 'vitest'
import { sealEnvelope } from '../../src/envelope/envelope.ts'
import { createBus } from '../support/bus.ts'
import { fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, payloads, take, text } from './support.ts'

const topicBytes = text('t')

describe('receiving on a signed topic', () => {
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
