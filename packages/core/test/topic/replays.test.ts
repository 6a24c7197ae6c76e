import { describe, expect, it } from 'vitest'
import { createBus } from '../support/bus.ts'
import { fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { payloads, take, testPeer, text } from './support.ts'

const hour = 3_600_000

describe('a captured message of a sender that was forgotten', () => {
  it.each([-hour, 0, hour])('is dropped, also where the receiver’s clock is %i ms off', async (offset) => {
    const bus = createBus()
    const clock = new VirtualClock()
    const wrong = new VirtualClock()
    wrong.offset += offset
    const [a, b] = [
      await testPeer(bus, 'a', { clock }),
      await testPeer(bus, 'b', { clock: wrong, limits: { maxSenders: 8 } })
    ]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('pay 5'))
    const captured = bus.published[0]?.payload ?? new Uint8Array()
    for (let i = 0; i < 20; i++) {
      await Promise.all([clock.advance(100), wrong.advance(100)])
      const stranger = await testPeer(bus, `s${i}`, { clock, identity: fakeIdentity(20_000 + i) })
      await stranger.signed.publish(text('spam'))
    }
    bus.inject('t', captured)
    await settle()
    expect(b.signed.stats().dropped.replayed).toBe(1)
    expect(payloads(await take(subscription, 21)).filter((payload) => payload === 'pay 5')).toHaveLength(1)
    await subscription.close()
  })

  it('is a duplicate when the sender is heard again, and nothing it has said is called missing', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock, limits: { maxSenders: 8 } })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('pay 5'))
    const captured = bus.published[0]?.payload ?? new Uint8Array()
    for (let i = 0; i < 20; i++) {
      await clock.advance(100)
      const stranger = await testPeer(bus, `s${i}`, { clock, identity: fakeIdentity(30_000 + i) })
      await stranger.signed.publish(text('spam'))
    }
    await a.signed.publish(text('hello again'))
    await settle()
    bus.inject('t', captured)
    await clock.advance(2_000)
    await subscription.close()
    const items = await take(subscription, Infinity)
    expect(payloads(items).filter((payload) => payload !== 'spam')).toEqual(['pay 5', 'hello again'])
    expect(items.filter(({ type }) => type === 'gap')).toEqual([])
    expect(b.signed.stats().dropped.duplicate).toBe(1)
  })

  it('is dropped after thousands of sessions of one stranger, and the stranger costs others nothing', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock, limits: { maxSenders: 8 } })]
    const subscription = b.signed.subscribe({ maxQueuedMessages: 10_000 })
    await subscription.joined
    await a.signed.publish(text('pay 5'))
    const captured = bus.published[0]?.payload ?? new Uint8Array()
    const identity = fakeIdentity(40_000)
    for (let i = 0; i < 300; i++) {
      await clock.advance(10)
      const stranger = await testPeer(bus, `s${i}`, { clock, identity })
      await stranger.signed.publish(text('spam'))
    }
    bus.inject('t', captured)
    await a.signed.publish(text('still here'))
    await settle()
    await subscription.close()
    const items = await take(subscription, Infinity)
    expect(payloads(items).filter((payload) => payload !== 'spam')).toEqual(['pay 5', 'still here'])
  })
})
