import { encode } from '@ipld/dag-cbor'
import { describe, expect, it } from 'vitest'
import type { IncomingMessage } from '../../src/backend.ts'
import { sealEnvelope } from '../../src/envelope/envelope.ts'
import { Checking } from '../../src/topic/checking.ts'
import { createBus } from '../support/bus.ts'
import { fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { payloads, take, testPeer, text } from './support.ts'

describe('a flood of garbage', () => {
  it.each([
    ['large', 60, 200_000],
    ['small', 8_000, 10]
  ])('of %s pieces lets the event loop turn', async (_name, count, bytes) => {
    const bus = createBus()
    const b = await testPeer(bus, 'b')
    const subscription = b.signed.subscribe()
    await subscription.joined
    const garbage = encode([2, new Uint8Array(bytes), 'no signature'])
    for (let i = 0; i < count; i++) bus.inject('t', garbage)
    let most = 0
    for (let seen = 0; seen < count;) {
      await new Promise<void>((resolve) => void setImmediate(resolve))
      const { garbage: now } = b.signed.stats().dropped
      most = Math.max(most, (now - seen) * garbage.byteLength, (now - seen) * 512)
      seen = now
    }
    expect(most).toBeLessThanOrEqual(2 * 1_024 * 1_024)
    await subscription.close()
  })
})

describe('a flood of sources', () => {
  it('costs each message the same, however many there are', async () => {
    const clock = new VirtualClock()
    let dropped = 0
    const checking = new Checking({
      clock,
      maxBytes: 200_000,
      open: () => new Promise(() => undefined),
      use: () => 'accept',
      onOverload: () => dropped++
    })
    for (let i = 0; i < 200_000; i++) void checking.add(`source ${i}`, new Uint8Array(1))
    await settle()
    expect(dropped).toBeGreaterThan(190_000)
    expect(checking.sources).toBeLessThanOrEqual(1_025)
  })
})

describe('a flood by one link, where publishers are not verified', () => {
  it.each(['none', 'claimed'] as const)('takes no place from what comes by another (sender: %s)', async (sender) => {
    const bus = createBus()
    const [a, b] = [
      await testPeer(bus, 'a'),
      await testPeer(bus, 'b', { capabilities: { sender }, limits: { maxPendingBytes: 10_000 } })
    ]
    const subscription = b.signed.subscribe()
    await subscription.joined
    bus.route = () => 'drop'
    await a.signed.publish(text('honest'))
    const [envelope] = bus.published
    const garbage = new Uint8Array(1_000)
    const flood = (): void => {
      for (let i = 0; i < 1_000; i++) hand({ payload: garbage, from: `anybody ${i}`, via: 'flooder' })
    }
    const hand = (message: IncomingMessage): void => {
      for (const subscriber of bus.subscribers('t')) void subscriber.message(message)
    }
    flood()
    hand({ payload: envelope?.payload ?? garbage, via: 'honest' })
    flood()
    const items = await take(subscription, 2)
    expect(payloads(items)).toEqual(['honest'])
    expect(items).toContainEqual(expect.objectContaining({ type: 'gap', reason: 'overflow' }))
    expect(b.signed.stats().dropped.overloaded).toBeGreaterThan(1_000)
    await subscription.close()
  })
})

describe('headers of strangers', () => {
  it('count as bytes that wait for the reader', async () => {
    const bus = createBus()
    const b = await testPeer(bus, 'b')
    const subscription = b.signed.subscribe({ maxQueuedBytes: 100_000 })
    await subscription.joined
    const identity = fakeIdentity()
    const headers = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`h${i}`, 'x'.repeat(1_000)]))
    const { publicKey } = identity
    for (let first = 0; first < 50; first++) {
      const messages = [{ content: text(''), headers }]
      const envelope = { publicKey, session: 1, age: 0, sent: b.clock.wall(), first, messages, providers: [] }
      bus.inject('t', await sealEnvelope(text('t'), envelope, identity))
    }
    await settle()
    await subscription.close()
    const items = await take(subscription, Infinity)
    expect(items[0]).toMatchObject({ type: 'gap', reason: 'queue' })
    expect(items.filter(({ type }) => type === 'message').length).toBeLessThan(10)
  })
})
