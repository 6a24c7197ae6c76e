import { describe, expect, it, vi } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { isP2plError, P2plError } from '../../src/errors.ts'
import type { BackendEvent } from '../../src/port/events.ts'
import type { RoutingHooks } from '../../src/port/routing.ts'
import { contextOf, ManualClock, settle, storeBackend } from './store-backend.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const never = (): Promise<never> => new Promise(() => undefined)

function routingWith(provide: NonNullable<RoutingHooks['provide']>): RoutingHooks {
  return {
    provide,
    unprovide: async () => undefined,
    findProviders: async function* () {
      yield { network: 'store', id: 'a', addresses: [] }
      await never()
    },
    findPeer: never,
    connect: never,
    disconnect: async () => undefined,
    connections: async () => []
  }
}

describe('providing', () => {
  it('in the background is tried again, with growing pauses, until it succeeds', async () => {
    const clock = new ManualClock()
    const events: BackendEvent[] = []
    const times: number[] = []
    const backend = await storeBackend({
      routing: routingWith(async () => {
        times.push(clock.now())
        if (times.length < 5) throw new P2plError({ code: 'NO_PEERS', message: 'alone' })
      })
    })
    const data = createData(contextOf(backend, { clock, events }))
    await data.add(text('x'))
    await settle()
    for (let i = 0; i < 40; i++) {
      clock.advance(500)
      await settle()
    }
    expect(times.slice(1).map((time, i) => time - (times[i] as number))).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(events).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('that cannot succeed is given up with an event; one that hangs has a timeout', async () => {
    const clock = new ManualClock()
    const events: BackendEvent[] = []
    let calls = 0
    const backend = await storeBackend({
      routing: routingWith(async () => {
        calls++
        if (calls === 1) return await never()
        throw new P2plError({ code: 'UNAUTHORIZED', message: 'no' })
      })
    })
    const data = createData(contextOf(backend, { clock, events, timeouts: { routing: 100 } }))
    const { cid } = await data.add(text('x'))
    await settle()
    clock.advance(100)
    await settle()
    clock.advance(1_000)
    await settle()
    expect(calls).toBe(2)
    expect(events).toEqual([{ type: 'warning', backend: 'store', message: expect.stringContaining(cid.toString()) }])
    expect(clock.pending).toBe(0)
  })

  it('tries one for all while nobody is there, and all once somebody is connected', async () => {
    const clock = new ManualClock()
    const attempts: string[] = []
    let alone = true
    const backend = await storeBackend({
      routing: routingWith(async (cid) => {
        attempts.push(cid.toString())
        if (alone) throw new P2plError({ code: 'NO_PEERS', message: 'alone' })
      })
    })
    const data = createData(contextOf(backend, { clock }))
    for (let i = 0; i < 12; i++) await data.add(text(String(i)), { pin: false })
    await settle()
    const first = attempts.length
    expect(first).toBeLessThanOrEqual(4)
    clock.advance(1_000)
    await settle()
    expect(attempts).toHaveLength(first + 1)
    clock.advance(1_999)
    await settle()
    expect(attempts).toHaveLength(first + 1)
    alone = false
    data.peerConnected()
    for (let i = 0; i < 20; i++) await settle()
    expect(new Set(attempts.slice(first + 1)).size).toBe(12)
    expect(clock.pending).toBe(0)
  })

  it('is not driven faster by those who connect again and again', async () => {
    const clock = new ManualClock()
    let attempts = 0
    const backend = await storeBackend({
      routing: routingWith(async () => {
        attempts++
        throw new P2plError({ code: 'NO_PEERS', message: 'no table yet' })
      })
    })
    const data = createData(contextOf(backend, { clock }))
    await data.add(text('x'))
    await settle()
    for (let i = 0; i < 100; i++) {
      data.peerConnected()
      clock.advance(100)
      await settle()
    }
    // Ten seconds: at most one a second.
    expect(attempts).toBeGreaterThan(5)
    expect(attempts).toBeLessThanOrEqual(11)
    await data.stop()
  })

  it('is bounded in number, four at once, and says once that it is full', async () => {
    const events: BackendEvent[] = []
    let underWay = 0
    const backend = await storeBackend({
      routing: routingWith(async () => {
        underWay++
        return await never()
      })
    })
    const data = createData(contextOf(backend, { clock: new ManualClock(), events }))
    for (let i = 0; i < 65_600; i++) await data.add(text(String(i)), { pin: false })
    expect(underWay).toBe(4)
    expect(events).toHaveLength(1)
    await data.stop()
  })

  it('of many records puts out some at once, and then 32 per second', async () => {
    const clock = new ManualClock()
    let calls = 0
    const backend = await storeBackend({ routing: routingWith(async () => void calls++) })
    const data = createData(contextOf(backend, { clock }))
    for (let i = 0; i < 300; i++) await data.add(text(`${i}`))
    await settle()
    expect(calls).toBe(16)
    for (let second = 1; second <= 7; second++) {
      for (let i = 0; i < 64; i++) {
        clock.advance(1_000 / 64)
        await settle()
      }
      expect(calls).toBe(16 + 32 * second)
    }
    // A caller that waits for its record does not wait for the others.
    await data.add(text('now'), { until: 'provided' })
    expect(calls).toBe(16 + 32 * 7 + 1)
  })

  it('renews each of many records before it expires, without a look at all of them for each', async () => {
    const clock = new ManualClock()
    const times = new Map<string, number[]>()
    const recordLifetime = 100_000
    const backend = await storeBackend({
      routes: { recordLifetime },
      routing: routingWith(async (cid) => {
        times.set(cid.toString(), [...(times.get(cid.toString()) ?? []), clock.now()])
      })
    })
    const data = createData(contextOf(backend, { clock }))
    const looks = vi.spyOn(Map.prototype, 'values')
    for (let i = 0; i < 2_000; i++) {
      await data.add(text(String(i)), { pin: false })
      clock.advance(10)
      await settle()
    }
    for (let i = 0; i < 2_000; i++) {
      clock.advance(50)
      await settle()
    }
    const looked = looks.mock.calls.length
    looks.mockRestore()
    expect(times.size).toBe(2_000)
    for (const all of times.values()) {
      expect(all.length).toBeGreaterThan(1)
      expect(all.every((time, i) => i === 0 || time - (all[i - 1] as number) < recordLifetime / 2)).toBe(true)
    }
    expect(looked).toBeLessThan(times.size)
    await data.stop()
    expect(clock.pending).toBe(0)
  })

  it('is cancelled by unprovide, and by stop', async () => {
    const clock = new ManualClock()
    const signals: AbortSignal[] = []
    const backend = await storeBackend({
      routing: routingWith(async (_, options) => {
        signals.push(options.signal)
        return await never()
      })
    })
    const events: BackendEvent[] = []
    const data = createData(contextOf(backend, { clock, events }))
    const { cid } = await data.add(text('x'))
    await data.add(text('y'))
    await settle()
    expect(signals).toHaveLength(2)
    await data.unprovide(cid)
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false])
    await data.stop()
    await settle()
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
    expect(clock.pending).toBe(0)
    expect(events).toEqual([])
  })

  it('is waited for with until: provided, and can be left out', async () => {
    let calls = 0
    const backend = await storeBackend({
      routing: routingWith(async () => {
        calls++
        if (calls > 1) throw new P2plError({ code: 'NO_PEERS', message: 'alone' })
      })
    })
    const data = createData(contextOf(backend, { clock: new ManualClock() }))
    await data.add(text('x'), { until: 'provided' })
    const error: unknown = await data.add(text('y'), { until: 'provided' }).catch((reason: unknown) => reason)
    expect(isP2plError(error, 'NO_PEERS')).toBe(true)
    await data.add(text('z'), { provide: false })
    await settle()
    expect(calls).toBe(2)
  })
})

describe('findProviders', () => {
  it('has one timeout for the whole search, and ends when its reader does', async () => {
    const clock = new ManualClock()
    const backend = await storeBackend({ routing: routingWith(async () => undefined) })
    const data = createData(contextOf(backend, { clock, timeouts: { routing: 100 } }))
    const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    const found = data.findProviders(cid)
    expect((await found.next()).value).toEqual({ network: 'store', id: 'a', addresses: [] })
    const rest = expect(found.next()).rejects.toMatchObject({ code: 'TIMEOUT', operation: 'data.findProviders' })
    await settle()
    clock.advance(100)
    await rest
    await expect(data.findProviders(cid, { limit: 0 }).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(clock.pending).toBe(0)
  })
})
