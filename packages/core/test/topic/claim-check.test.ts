import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import { P2plError } from '../../src/errors.ts'
import { createBus } from '../support/bus.ts'
import { testPeer, take } from './support.ts'

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
