import { describe, expect, it } from 'vitest'
import { P2plError } from '../../src/errors.ts'
import { createBus } from '../support/bus.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, text } from './support.ts'

describe('the publish queue', () => {
  it('takes many thousand messages that expire or are aborted, each once looked at', async () => {
    const clock = new VirtualClock()
    const a = await testPeer(createBus(), 'a', { clock })
    const count = 16_384
    const began = process.threadCpuUsage()
    const expired = Array.from({ length: count }, () =>
      a.signed.publish(text('x'), { timeout: 1_000 }).catch((error: unknown) => (error as P2plError).code)
    )
    await clock.advance(1_100)
    expect(new Set(await Promise.all(expired))).toEqual(new Set(['NO_PEERS']))
    const controller = new AbortController()
    const { signal } = controller
    const aborted = Array.from({ length: count }, () =>
      a.signed.publish(text('x'), { signal }).catch((error: unknown) => (error as P2plError).code)
    )
    await settle()
    controller.abort()
    expect(new Set(await Promise.all(aborted))).toEqual(new Set(['ABORTED']))
    // An order of magnitude, not a speed, and of processor time: what is quadratic takes half a minute.
    const { user, system } = process.threadCpuUsage(began)
    expect((user + system) / 1_000).toBeLessThan(15_000)
  })

  it('refuses those who wait for room when it stops', async () => {
    const clock = new VirtualClock()
    const a = await testPeer(createBus(), 'a', { clock, limits: { maxPublishQueueBytes: 1_000 } })
    const all = Array.from({ length: 5 }, () =>
      a.signed.publish(new Uint8Array(900)).catch((error: unknown) => (error as P2plError).code)
    )
    await settle()
    await a.topics.stop(new P2plError({ code: 'NOT_RUNNING', message: 'stopped' }))
    expect(await Promise.all(all)).toEqual(Array.from({ length: 5 }, () => 'NOT_RUNNING'))
  })

  it('does not send again to those who have it while there are not enough of them', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b, c] = [
      await testPeer(bus, 'a', { clock, capabilities: { delivery: 'reliable' } }),
      await testPeer(bus, 'b', { clock }),
      await testPeer(bus, 'c', { clock })
    ]
    await b.signed.subscribe().joined
    const published = a.signed.publish(text('x'), { recipients: 2, timeout: 60_000 })
    await clock.advance(20_000)
    expect(bus.published).toHaveLength(1)
    await c.signed.subscribe().joined
    await clock.advance(1_000)
    expect(await published).toMatchObject({ recipients: 2 })
  })

  it('keeps the distance of an engine over all topics', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock, capabilities: { pacing: 20, recipients: 'none' } })
    const all = Array.from({ length: 100 }, (_, i) => a.topics.handle<Uint8Array>(`t${i}`).publish(text('x')))
    await clock.advance(1_000)
    // One at once, then one every 20 ms.
    expect(bus.published.length).toBeGreaterThanOrEqual(50)
    expect(bus.published.length).toBeLessThanOrEqual(52)
    await clock.advance(1_100)
    await Promise.all(all)
  })

  it('repeats a publish of unknown fate on a signed topic only, and nothing that was given up below', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    await Promise.all([b.signed.subscribe().joined, b.raw.subscribe().joined])
    bus.failure = new P2plError({ code: 'UNCERTAIN', message: 'the connection broke' })
    const raw = expect(a.raw.publish(text('x'))).rejects.toMatchObject({ code: 'UNCERTAIN', retryable: false })
    const signed = a.signed.publish(text('x'))
    await clock.advance(50)
    await raw
    bus.failure = undefined
    await clock.advance(500)
    expect(await signed).toMatchObject({ recipients: 1 })
    bus.failure = new P2plError({ code: 'UNREACHABLE', message: 'tried three times', exhausted: true })
    await expect(a.signed.publish(text('x'))).rejects.toMatchObject({ code: 'UNREACHABLE', exhausted: true })
  })
})

describe('codecs and headers', () => {
  it('carry values and small texts', async () => {
    const { json, text: textCodec } = await import('../../src/index.ts')
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscription = b.topics.handle('t', { codec: json }).subscribe()
    await subscription.joined
    const topic = a.topics.handle<unknown>('t', { codec: json })
    await topic.publish({ move: 'e4' }, { headers: { traceparent: '00-1' } })
    const { value } = await subscription.next()
    expect(value).toMatchObject({ payload: { move: 'e4' }, headers: { traceparent: '00-1' } })
    await a.signed.publish(text('{ not json'))
    expect((await subscription.next()).value).toMatchObject({ type: 'gap', reason: 'undecodable', first: 1, count: 1 })
    await expect(topic.publish(undefined)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(a.topics.handle('t', { codec: textCodec }).publish(5 as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })
    await expect(a.signed.publish('text' as never)).rejects.toMatchObject({
      message: expect.stringContaining('codec') as string
    })
    for (const headers of [{ '': 'x' }, { x: 1 }, { x: 'y'.repeat(1_025) }, [], 'x'] as never[]) {
      await expect(a.signed.publish(text('x'), { headers })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    await expect(a.raw.publish(text('x'), { headers: { a: 'b' } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
