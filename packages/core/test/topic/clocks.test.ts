import { describe, expect, it } from 'vitest'
import { createBus } from '../support/bus.ts'
import { fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, payloads, take, text } from './support.ts'

const hour = 3_600_000

describe('a wall clock that jumps', () => {
  it.each([-hour, -30_000, 30_000, hour])('by %i ms while peers run costs nothing', async (jump) => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('before'))
    clock.offset += jump
    await a.signed.publish(text('after'))
    const late = expect(a.signed.ready({ peers: 2, timeout: 500 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(600)
    await late
    bus.route = () => 'drop'
    await a.signed.publish(text('lost'))
    bus.route = () => 'deliver'
    await a.signed.publish(text('last'))
    await clock.advance(1_300)
    expect(await take(subscription, 4)).toMatchObject([
      { sequence: 0 },
      { sequence: 1 },
      { sequence: 3 },
      { reason: 'missing', first: 2, last: 2 }
    ])
  })

  it.each([60_000, 2 * hour])('back by %i ms between two runs of a sender loses nothing', async (step) => {
    const bus = createBus()
    const clock = new VirtualClock()
    const identity = fakeIdentity()
    const [a, b] = [await testPeer(bus, 'a', { clock, identity }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('first run'))
    const behind = new VirtualClock()
    behind.offset -= step
    const again = await testPeer(bus, 'a', { clock: behind, identity })
    await again.signed.publish(text('second run'))
    await again.signed.publish(text('and on'))
    expect(payloads(await take(subscription, 3))).toEqual(['first run', 'second run', 'and on'])
    expect(b.signed.stats().dropped.replayed).toBe(0)
  })
})

describe('one identity on two devices', () => {
  it('is delivered to others from both, and both are warned', async () => {
    const bus = createBus()
    const identity = fakeIdentity()
    const [a, b, c] = [
      await testPeer(bus, 'a', { identity }),
      await testPeer(bus, 'b', { identity }),
      await testPeer(bus, 'c')
    ]
    const subscription = c.signed.subscribe()
    await Promise.all([a.signed.subscribe().joined, b.signed.subscribe().joined, subscription.joined])
    for (const round of [1, 2]) {
      await a.signed.publish(text(`a${round}`))
      await b.signed.publish(text(`b${round}`))
    }
    expect(payloads(await take(subscription, 4))).toEqual(['a1', 'b1', 'a2', 'b2'])
    await settle()
    for (const { events } of [a, b]) {
      expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining('identity') as string }])
    }
  })
})

describe('a captured message of a peer that left', () => {
  it('is dropped, also after thousands of strangers came by', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe({ maxQueuedMessages: 10_000 })
    await subscription.joined
    await a.signed.publish(text('pay 5'))
    const captured = bus.published[0]?.payload ?? new Uint8Array()
    await clock.advance(1_000)
    for (let i = 0; i < 4_200; i++) {
      const stranger = await testPeer(bus, `s${i}`, { clock, identity: fakeIdentity(10_000 + i) })
      await stranger.signed.publish(text('spam'))
      // Some thousand in a second.
      if (i % 4 === 0) await clock.advance(1)
    }
    await take(subscription, 4_201)
    bus.inject('t', captured)
    await settle()
    expect(b.signed.stats().dropped.replayed + b.signed.stats().dropped.duplicate).toBe(1)
    // An honest peer that comes now is heard.
    await clock.advance(1_000)
    const honest = await testPeer(bus, 'h', { clock })
    await honest.signed.publish(text('hello'))
    expect(payloads(await take(subscription, 1))).toEqual(['hello'])
  })
})
