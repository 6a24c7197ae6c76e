import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { messageId } from '../../src/topic/inbox.ts'
import { sealEnvelope } from '../../src/envelope/envelope.ts'
import { noHeaders } from '../../src/envelope/headers.ts'
import type { Cryptography, Identity } from '../../src/identity.ts'
import { createBus } from '../support/bus.ts'
import { fakeCryptography, fakeIdentity } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, payloads, take, text } from './support.ts'

const topicBytes = text('t')
const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

/** Whatever the body says, its signature is right: what anybody with a key can send. */
async function signedBody(body: Uint8Array, identity: Identity): Promise<Uint8Array> {
  const domain = text('p2pl/envelope/v2\0')
  const signed = new Uint8Array(domain.length + 4 + topicBytes.length + body.length)
  signed.set(domain)
  new DataView(signed.buffer).setUint32(domain.length, topicBytes.length)
  signed.set(topicBytes, domain.length + 4)
  signed.set(body, domain.length + 4 + topicBytes.length)
  return encode([2, body, await identity.sign(signed)])
}

const number = fc.oneof(
  fc.integer({ min: -2, max: 5 }),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1, 0.5)
)
const anything = fc.oneof(
  number,
  fc.constantFrom(null, true, 'x', '__proto__', cid, [cid, 1], [cid, 2 ** 53 - 1], [[]], { ['__proto__']: 1 }),
  fc.uint8Array({ maxLength: 40 })
)

describe('signed but hostile', () => {
  it('bodies of any shape are counted and leave the topic as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            key: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, anything),
            session: number,
            age: number,
            sent: number,
            first: number,
            messages: fc.oneof(fc.array(anything, { maxLength: 4 }), anything),
            hints: fc.oneof(
              fc.constant([]),
              anything,
              fc.array(fc.tuple(anything, anything, fc.array(anything, { maxLength: 10 })), { maxLength: 5 })
            ),
            extra: fc.array(anything, { maxLength: 1 })
          }),
          { maxLength: 20 }
        ),
        async (bodies) => {
          const bus = createBus()
          const clock = new VirtualClock()
          const identity = fakeIdentity(7)
          const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
          const subscription = b.signed.subscribe()
          await subscription.joined
          for (const { key, session, age, sent, first, messages, hints, extra } of bodies) {
            const body = encode([key ?? identity.publicKey, session, age, sent, first, messages, hints, ...extra])
            bus.inject('t', await signedBody(body, identity))
          }
          await a.signed.publish(text('still there'))
          await clock.advance(60_000)
          await subscription.close()
          const items = await take(subscription, Infinity)
          const own = items.filter((item) => item.sender === a.identity.id)
          expect(payloads(own)).toEqual(['still there'])
          for (const item of items) {
            if (item.type === 'message') {
              expect(item.payload).toBeInstanceOf(Uint8Array)
              expect(Number.isSafeInteger(item.sequence)).toBe(true)
            } else expect(item.count ?? 1).toBeGreaterThan(0)
          }
          const ids = items.flatMap((item) => (item.type === 'message' ? [item.id] : []))
          expect(new Set(ids).size).toBe(ids.length)
        }
      ),
      { seed: 1, numRuns: 200 }
    )
  })

  it('bytes that differ a little from right ones never reach the app', async () => {
    const identity = fakeIdentity(7)
    const right = await sealEnvelope(
      topicBytes,
      {
        publicKey: identity.publicKey,
        session: 5,
        age: 0,
        sent: 0,
        first: 0,
        messages: [
          { content: text('a'), headers: noHeaders },
          { content: { cid, size: 9 }, headers: { trace: '1' } }
        ],
        providers: [{ network: 'bus', id: 'x', addresses: ['y'] }]
      },
      identity
    )
    const mutation = fc.record({
      at: fc.nat(right.length - 1),
      cut: fc.nat(3),
      put: fc.uint8Array({ maxLength: 9 })
    })
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        let bytes = right
        for (const { at, cut, put } of mutations) {
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + cut)])
        }
        fc.pre(!(bytes.length === right.length && bytes.every((byte, i) => byte === right[i])))
        const bus = createBus()
        const b = await testPeer(bus, 'b')
        const subscription = b.signed.subscribe()
        await subscription.joined
        bus.inject('t', bytes)
        await settle()
        await subscription.close()
        expect(await take(subscription, Infinity)).toEqual([])
        const { garbage, forged } = b.signed.stats().dropped
        expect(garbage + forged).toBe(1)
      }),
      { seed: 1, numRuns: 300 }
    )
  })

  it('nesting without end is garbage', async () => {
    const bus = createBus()
    const b = await testPeer(bus, 'b')
    const subscription = b.signed.subscribe()
    await subscription.joined
    const deep = new Uint8Array(200_000).fill(0x81)
    bus.inject('t', deep)
    bus.inject('t', await signedBody(deep, fakeIdentity(7)))
    await settle()
    expect(b.signed.stats().dropped.garbage).toBe(2)
    await subscription.close()
  })

  it('numbers at the end of what is exact are followed up to it', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const b = await testPeer(bus, 'b', { clock })
    const identity = fakeIdentity(7)
    const subscription = b.signed.subscribe()
    await subscription.joined
    const session = Number.MAX_SAFE_INTEGER
    const last = Number.MAX_SAFE_INTEGER - 1
    const messages = [{ content: text('last'), headers: noHeaders }]
    const { publicKey } = identity
    const envelope = { publicKey, session, age: 0, sent: clock.wall(), first: last, messages, providers: [] }
    bus.inject('t', await sealEnvelope(topicBytes, envelope, identity))
    bus.inject('t', await sealEnvelope(topicBytes, { ...envelope, first: last + 1 }, identity))
    await clock.advance(2_000)
    await subscription.close()
    expect(await take(subscription, 9)).toMatchObject([
      { sequence: last, id: messageId(identity.id, session, last) },
      { reason: 'missing', first: 0, last: last - 1, count: last }
    ])
    expect(b.signed.stats().dropped.garbage).toBe(1)
  })

  it('floods are bounded, counted and told, also where the engine asks before it passes on', async () => {
    const bus = createBus()
    let checking = 0
    let most = 0
    const b = await testPeer(bus, 'b', {
      capabilities: { validation: 'native' },
      limits: { maxPendingBytes: 4 * 1_024 },
      cryptography: {
        verify: async (...args: Parameters<Cryptography['verify']>) => {
          most = Math.max(most, ++checking)
          await settle()
          checking--
          return await fakeCryptography.verify(...args)
        }
      }
    })
    const subscription = b.signed.subscribe()
    await subscription.joined
    for (let i = 0; i < 200; i++) {
      const { publicKey, ...identity } = fakeIdentity()
      const messages = [{ content: text(`${i}`), headers: noHeaders }]
      const envelope = { publicKey, session: 1, age: 0, sent: 0, first: 0, messages, providers: [] }
      bus.inject('t', await sealEnvelope(topicBytes, envelope, { publicKey, ...identity }))
    }
    expect(await take(subscription, 1)).toMatchObject([{ type: 'gap', topic: 't', reason: 'overflow' }])
    expect(b.signed.stats().dropped.overloaded).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(32)
    await subscription.close()
  })
})

describe('a backend that breaks its promises', () => {
  it('and throws what is no P2plError still gives typed errors', async () => {
    const a = await testPeer(createBus(), 'a')
    const odd = new TypeError('odd')
    Object.assign(a.transport, {
      peers: () => Promise.reject(odd),
      subscribe: () => Promise.reject(odd),
      publish: () => Promise.reject(odd)
    })
    const expected = { code: 'ENGINE', backend: 'a', cause: odd }
    await expect(a.signed.ready()).rejects.toMatchObject({ ...expected, operation: 'ready' })
    await expect(a.signed.peers()).rejects.toMatchObject({ ...expected, operation: 'peers' })
    await expect(a.signed.subscribe().joined).rejects.toMatchObject({ ...expected, operation: 'subscribe' })
    await expect(a.raw.subscribe().next()).rejects.toMatchObject({ ...expected, operation: 'subscribe' })
    await expect(a.signed.publish(text('x'))).rejects.toMatchObject({ ...expected, operation: 'publish' })
  })

  it('and joins a topic too late delivers nothing twice', async () => {
    const bus = createBus()
    const clock = new VirtualClock()
    const [a, b] = [await testPeer(bus, 'a', { clock }), await testPeer(bus, 'b', { clock })]
    const { transport } = b
    const subscribe = transport.subscribe.bind(transport)
    transport.subscribe = async (topic, subscriber) => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 500))
      return await subscribe(topic, subscriber)
    }
    const hasty = expect(b.signed.subscribe({ timeout: 100 }).joined).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(1_000)
    await hasty
    const patient = b.signed.subscribe()
    await clock.advance(1_000)
    await patient.joined
    expect(await a.signed.publish(text('x'))).toMatchObject({ recipients: 1 })
    await settle()
    await patient.close()
    expect(payloads(await take(patient, 9))).toEqual(['x'])
    expect(await a.signed.peers()).toEqual([])
  })

  it('and never leaves a topic holds up neither its end nor the next subscription', async () => {
    const clock = new VirtualClock()
    const a = await testPeer(createBus(), 'a', { clock })
    const { transport } = a
    const subscribe = transport.subscribe.bind(transport)
    transport.subscribe = async (...args) => {
      await subscribe(...args)
      return { close: () => new Promise(() => undefined) }
    }
    const first = a.signed.subscribe()
    await first.joined
    const closed = expect(first.close()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await settle()
    const next = a.signed.subscribe()
    await clock.advance(31_000)
    await closed
    await next.joined
  })
})

describe('a topic', () => {
  it('serves thousands of subscriptions that nobody reads', async () => {
    const bus = createBus()
    const [a, b] = [await testPeer(bus, 'a'), await testPeer(bus, 'b')]
    const all = Array.from({ length: 3_000 }, () => b.signed.subscribe({ maxQueuedMessages: 2 }))
    await Promise.all(all.map(async ({ joined }) => await joined))
    for (let i = 0; i < 5; i++) await a.signed.publish(text(`${i}`))
    for (const subscription of [all[0]!, all.at(-1)!]) {
      expect(await take(subscription, 3)).toMatchObject([
        { type: 'gap', reason: 'queue', count: 3 },
        { sequence: 3 },
        { sequence: 4 }
      ])
    }
    await Promise.all(all.map(async (subscription) => await subscription.close()))
    expect(await a.signed.peers()).toEqual([])
  })
})
