import { describe, expect, it } from 'vitest'
import { P2plError } from '../../src/errors.ts'
import { createBus } from '../support/bus.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, text } from './support.ts'

const never = (): Promise<never> => new Promise(() => undefined)

describe('an engine that never answers a publish', () => {
  it('makes it UNCERTAIN on a raw topic, and it is not sent again', async () => {
    const clock = new VirtualClock()
    const a = await testPeer(createBus(), 'a', { clock })
    let asked = 0
    a.transport.publish = () => {
      asked++
      return never()
    }
    for (const timeout of [100, 60_000]) {
      const sent = expect(a.raw.publish(text('x'), { timeout, recipients: 0 })).rejects.toMatchObject({
        code: 'UNCERTAIN',
        retryable: false
      })
      await clock.advance(30_000)
      await sent
    }
    expect(asked).toBe(2)
  })

  it('is not asked again on a raw topic when it says that it timed out', async () => {
    const a = await testPeer(createBus(), 'a')
    let asked = 0
    a.transport.publish = () => {
      asked++
      return Promise.reject(new P2plError({ code: 'TIMEOUT', message: 'slow' }))
    }
    await expect(a.raw.publish(text('x'), { recipients: 0 })).rejects.toMatchObject({ code: 'UNCERTAIN' })
    expect(asked).toBe(1)
  })

  it('holds up no later message, also where it ignores its signal', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const subscription = b.signed.subscribe()
    await subscription.joined
    const publish = a.transport.publish
    a.transport.publish = never
    const lost = expect(a.signed.publish(text('lost'), { timeout: 100 })).rejects.toMatchObject({ retryable: true })
    await clock.advance(200)
    await lost
    a.transport.publish = publish
    const sent = a.signed.publish(text('after'), { timeout: 30_000 })
    await clock.advance(11_000)
    expect(await sent).toMatchObject({ recipients: 1 })
  })

  it('nor where it never says who is there', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const a = await testPeer(bus, 'a', { clock })
    a.transport.peers = never
    const alone = expect(a.signed.publish(text('lost'), { timeout: 100 })).rejects.toMatchObject({ code: 'NO_PEERS' })
    await clock.advance(200)
    await alone
    const b = await testPeer(bus, 'b', { clock })
    await b.signed.subscribe().joined
    const sent = a.signed.publish(text('after'), { timeout: 30_000 })
    await clock.advance(11_000)
    await settle()
    expect(await sent).toMatchObject({ recipients: 1 })
  })
})
