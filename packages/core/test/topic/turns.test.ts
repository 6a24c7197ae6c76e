import { describe, expect, it } from 'vitest'
import { createPeer, type Peer } from '../../src/index.ts'
import { createBus } from '../support/bus.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { payloads, take, testPeer, type TestPeerOptions, text } from './support.ts'

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve))
}

async function two(): Promise<[Peer, Peer]> {
  const bus = createBus()
  return [await createPeer({ backend: bus.backend('a') }), await createPeer({ backend: bus.backend('b') })]
}

describe('a producer that never yields by itself', () => {
  it('lets timers run, and loses nothing', async () => {
    const [a, b] = await two()
    const subscription = b.topic('t').subscribe({ maxQueuedMessages: 5_000 })
    await subscription.joined
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const topic = a.topic('t')
    const count = 5_000
    const reading = take(subscription, count)
    for (let i = 0; i < count; i++) await topic.publish(text(`${i}`))
    clearInterval(timer)
    const items = await reading
    expect(payloads(items)).toEqual(Array.from({ length: count }, (_, i) => `${i}`))
    expect(ticks).toBeGreaterThan(5)
    await Promise.all([a.stop(), b.stop()])
  })

  it('can be ended by a timer', async () => {
    const [a, b] = await two()
    await b.topic('t').subscribe().joined
    const end = AbortSignal.timeout(20)
    const topic = a.topic('t')
    while (!end.aborted) await topic.publish(text('again'))
    await Promise.all([a.stop(), b.stop()])
  })

  it('shares envelopes among the messages of a turn, also of many callers', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    await b.signed.subscribe().joined
    const caller = async (): Promise<void> => {
      await Promise.resolve()
      await a.signed.publish(text('x'))
    }
    await Promise.all(Array.from({ length: 100 }, caller))
    expect(bus.published).toHaveLength(1)
  })
})

/** A millisecond passes with each turn. */
class SlowClock extends VirtualClock {
  #turns = 0

  override now(): number {
    return this.#turns
  }

  override nextTurn(callback: () => void): void {
    this.#turns++
    super.nextTurn(callback)
  }
}

describe('a producer that yields between its messages', () => {
  /** Publishes one message in each turn. Returns the number of envelopes. */
  async function envelopesOf(count: number, options: TestPeerOptions = {}): Promise<number> {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a', options), await testPeer(bus, 'b')]
    const subscription = b.signed.subscribe()
    await subscription.joined
    const pending: Promise<unknown>[] = []
    for (let i = 0; i < count; i++) {
      pending.push(a.signed.publish(text(`${i}`)))
      await turn()
    }
    await Promise.all(pending)
    expect(payloads(await take(subscription, count))).toEqual(Array.from({ length: count }, (_, i) => `${i}`))
    return bus.published.length
  }

  it('shares envelopes like one that does not', async () => {
    expect(await envelopesOf(300)).toBe(1)
  })

  it('sends an envelope as soon as it is full', async () => {
    expect(await envelopesOf(300, { limits: { maxMessagesPerEnvelope: 100 } })).toBe(3)
    const [roomy, tight] = [await envelopesOf(100), await envelopesOf(100, { limits: { maxEnvelopeBytes: 2_048 } })]
    expect(tight).toBeGreaterThan(roomy)
  })

  it('has no message wait for others for more than 5 ms', async () => {
    expect(await envelopesOf(30, { clock: new SlowClock() })).toBeGreaterThanOrEqual(5)
  })
})

describe('topics that are left', () => {
  it('are released, thousands of them', async () => {
    const bus = createBus()
    const a = await testPeer(bus, 'a', { capabilities: { delivery: 'reliable' } })
    for (let i = 0; i < 3_000; i++) {
      const topic = a.topics.handle<Uint8Array>(`request ${i}`)
      const subscription = topic.subscribe()
      await subscription.joined
      await topic.publish(text('x'), { recipients: 0 })
      await subscription.close()
    }
    await settle()
    expect(a.topics.size).toBe(0)
  })

  it('are released by close at once, which tells how many messages there were', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const subscription = b.signed.subscribe()
    await subscription.joined
    await a.signed.publish(text('0'))
    bus.route = () => 'drop'
    await a.signed.publish(text('1'))
    bus.route = () => 'deliver'
    await a.signed.close()
    expect(a.topics.size).toBe(0)
    await b.clock.advance(2_000)
    expect(await take(subscription, 2)).toMatchObject([{ sequence: 0 }, { reason: 'missing', first: 1, last: 1 }])
    // The handle goes on to work.
    await a.signed.publish(text('2'))
    expect(payloads(await take(subscription, 1))).toEqual(['2'])
  })
})
