import { describe, expect, it } from 'vitest'
import { P2plError } from '../../src/errors.ts'
import { createBus } from '../support/bus.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, payloads, take, text } from './support.ts'

describe('publishing on a signed topic', () => {
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
})
