import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import { defineBackend } from '../../src/backend.ts'
import { createIdentity, createPeer, identityFromSeed, json, type Peer } from '../../src/index.ts'
import { storeBackend } from '../data/store-backend.ts'
import { createBus } from '../support/bus.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const bytes = new Uint8Array(1)

const routing = {
  provide: async () => undefined,
  unprovide: async () => undefined,
  findProviders: async function* () {},
  findPeer: async () => ({ network: 'store', id: 'x', addresses: [] }),
  connect: async () => undefined,
  disconnect: async () => undefined,
  connections: async () => []
}

/** What a call makes of arguments that no type checker has seen. */
// oxlint-disable-next-line typescript/no-explicit-any -- any argument of any call
type Call = (peer: any) => unknown

const first = (items: AsyncIterable<unknown>): Promise<unknown> => items[Symbol.asyncIterator]().next()

const wrong: Readonly<Record<string, Call>> = {
  'topic: no name': (peer) => peer.topic(),
  'topic: a number as codec': (peer) => peer.topic('t', { codec: 5 }),
  'topic: null as codec': (peer) => peer.topic('t', { codec: null }),
  'topic: the name of a codec': (peer) => peer.topic('t', { codec: 'json' }),
  'topic: null as options': (peer) => peer.topic('t', null),
  'publish: nothing': (peer) => peer.topic('t').publish(),
  'publish: text without a codec': (peer) => peer.topic('t').publish('hello'),
  'publish: undefined as JSON': (peer) => peer.topic('t', { codec: json }).publish(undefined),
  'publish: a controller as signal': (peer) => peer.topic('t').publish(bytes, { signal: new AbortController() }),
  'publish: no number of recipients': (peer) => peer.topic('t').publish(bytes, { recipients: Number.NaN }),
  'publish: null as headers': (peer) => peer.topic('t').publish(bytes, { headers: null }),
  'publish: headers on a raw topic': (peer) => peer.topic('t', { mode: 'raw' }).publish(bytes, { headers: {} }),
  'publish: a codec that gives text': (peer) =>
    peer.topic('t', { codec: { name: 'odd', encode: () => 'text', decode: () => 1 } }).publish(1),
  'publish: a codec that gives a promise': (peer) =>
    peer
      .topic('t', { codec: { name: 'odd', encode: () => Promise.reject(new Error('odd')), decode: () => 1 } })
      .publish(1),
  'subscribe: null': (peer) => peer.topic('t').subscribe(null),
  'subscribe: text as echo': (peer) => peer.topic('t').subscribe({ echo: 'no' }),
  'subscribe: a controller as signal': (peer) => peer.topic('t').subscribe({ signal: new AbortController() }),
  'subscribe: half a message': (peer) => peer.topic('t').subscribe({ maxQueuedMessages: 0.5 }),
  'onState: no function': (peer) => peer.topic('t').subscribe().onState('live'),
  'ready: minus one': (peer) => peer.topic('t').ready({ peers: -1 }),
  'onEvent: no function': (peer) => peer.onEvent({}),
  'add: nothing': (peer) => peer.data.add(),
  'add: an ArrayBuffer': (peer) => peer.data.add(new ArrayBuffer(4)),
  'add: numbers': (peer) => peer.data.add([1, 2, 3]),
  'add: a promise': (peer) => peer.data.add(Promise.resolve(bytes)),
  'add: text as pin': (peer) => peer.data.add(bytes, { pin: 'no' }),
  'add: a number as provide': (peer) => peer.data.add(bytes, { provide: 0 }),
  'add: no function for progress': (peer) => peer.data.add(bytes, { onProgress: true }),
  'get: nothing': (peer) => first(peer.data.get()),
  'get: a path': (peer) => first(peer.data.get(`${cid.toString()}/a.txt`)),
  'get: no function for progress': (peer) => first(peer.data.get(cid, { onProgress: 'yes' })),
  'get: text as local': (peer) => first(peer.data.get(cid, { local: 'no' })),
  'get: local and remote': (peer) => first(peer.data.get(cid, { local: true, remote: true })),
  'get: minus one as offset': (peer) => first(peer.data.get(cid, { offset: -1 })),
  'bytes: text as maxBytes': (peer) => peer.data.bytes(cid, { maxBytes: '5' }),
  'bytes: an add result instead of its CID': (peer) => peer.data.bytes({ cid, size: 1 }),
  'has: text as deep': (peer) => peer.data.has(cid, { deep: 'no' }),
  'pin: text as maxBytes': (peer) => peer.data.pin(cid, { maxBytes: '5' }),
  'pin: text as recursive': (peer) => peer.data.pin(cid, { recursive: 'no' }),
  'protect: no function': (peer) => peer.data.protect(Promise.resolve()),
  'findProviders: half a peer': (peer) => first(peer.data.findProviders(cid, { limit: 0.5 })),
  'blocks.put: text': (peer) => peer.blocks.put('hello'),
  'blocks.putMany: nothing': (peer) => peer.blocks.putMany(),
  'blocks.putMany: one block': (peer) => peer.blocks.putMany({ cid, bytes }),
  'blocks.putMany: bytes': (peer) => peer.blocks.putMany(bytes),
  'blocks.putMany: null': (peer) => peer.blocks.putMany([null]),
  'connect: nothing': (peer) => peer.network.connect(),
  'connect: an empty list': (peer) => peer.network.connect([]),
  'findPeer: a number': (peer) => peer.network.findPeer(5),
  'disconnect: nothing': (peer) => peer.network.disconnect()
}

describe('a mistake', () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => {
    unhandled.length = 0
    process.on('unhandledRejection', note)
  })
  afterEach(() => void process.off('unhandledRejection', note))

  it.each(Object.entries(wrong))('%s ends in an error that names it', async (_name, call) => {
    const data = await storeBackend({
      blocks: { remote: true },
      routing,
      routes: { connect: 'native', findPeer: 'native' }
    })
    const peer = await createPeer({ messages: createBus().backend('bus'), data })
    const error: unknown = await (async () => await call(peer))().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: expect.stringMatching(/^(?:INVALID_ARGUMENT|UNSUPPORTED)$/) as string })
    await settle()
    expect(unhandled).toEqual([])
    await peer.stop()
  })

  it.each([
    ['no options', undefined],
    ['an unawaited backend', { backend: Promise.resolve(createBus().backend('bus')) }],
    ['a factory', { backend: createBus().backend }],
    ['a controller as signal', { backend: createBus().backend('bus'), signal: new AbortController() }],
    ['an unawaited identity', { backend: createBus().backend('bus'), identity: createIdentity() }],
    ['an identity of parts', { backend: createBus().backend('bus'), identity: { id: 'me', sign: async () => bytes } }],
    ['half a message', { backend: createBus().backend('bus'), limits: { maxMessagesPerEnvelope: 1.5 } }],
    ['no clock', { backend: createBus().backend('bus'), environment: { clock: Date } }],
    ['no chance', { backend: createBus().backend('bus'), environment: { random: 0.5 } }],
    ['null as cryptography', { backend: createBus().backend('bus'), environment: { cryptography: null } }],
    ['a list as receipts', { backend: createBus().backend('bus'), receipts: [] }],
    ['a list of whom to keep for', { backend: createBus().backend('bus'), receipts: { keep: [] } }],
    ['a promise as receipts', { backend: createBus().backend('bus'), receipts: Promise.resolve({}) }],
    ['no time', { backend: createBus().backend('bus'), timeouts: { get: -1 } }]
  ])('createPeer: %s', async (_name, options) => {
    await expect(createPeer(options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('the message of a mistake', () => {
  it.each<[string, Call, string]>([
    ['a number as text', (peer) => peer.topic('t').publish(bytes, { recipients: '1' }), 'not "1"'],
    ['an ArrayBuffer', (peer) => peer.topic('t').publish(new ArrayBuffer(1)), 'not an ArrayBuffer'],
    ['a function', (peer) => peer.data.add(() => 'x'), 'not a function'],
    ['an object', (peer) => peer.data.add({}), 'not an object'],
    ['an object without a prototype', (peer) => peer.data.add(Object.create(null)), 'not an object'],
    ['what add gave', (peer) => peer.data.bytes({ cid, size: 1 }), 'give its "cid"'],
    ['a source of numbers', (peer) => peer.data.add([1, 2]), 'gave 1'],
    ['a source of text', (peer) => peer.data.add(['a']), 'without an encoding'],
    ['no peer', (peer) => peer.network.connect(), 'one of its addresses as text, not undefined'],
    ['a peer as JSON', (peer) => peer.network.connect('[{"network":"store"}]'), 'JSON.parse']
  ])('shows %s', async (_name, call, part) => {
    const data = await storeBackend({
      blocks: { remote: true },
      routing,
      routes: { connect: 'native', findPeer: 'native' }
    })
    const peer = await createPeer({ messages: createBus().backend('bus'), data })
    const error: unknown = await (async () => await call(peer))().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
    await peer.stop()
  })

  it('says of a timeout that it is above 0', async () => {
    const options = { backend: createBus().backend('bus'), timeouts: { get: '1s' } }
    await expect(createPeer(options as never)).rejects.toThrow('timeouts.get must be a number above 0, not "1s"')
  })

  it.each(['x', undefined, new Uint8Array(31)])('says what a seed is: %s', async (seed) => {
    const error: unknown = await identityFromSeed(seed as never).catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/32 bytes, not (?:"x"|undefined|31)$/) as string
    })
  })
})

describe('an identity store that never answers', () => {
  it.each(['get', 'set'] as const)('by %s ends createPeer by its timeout', async (stuck) => {
    const clock = new VirtualClock()
    let closed = false
    const backend = defineBackend({
      name: 'stuck',
      network: 'stuck',
      capabilities: {},
      open: async () => ({
        self: () => ({ id: 'x', addresses: [] }),
        close: async () => void (closed = true),
        secrets: {
          get: async () => await (stuck === 'get' ? new Promise<never>(() => undefined) : undefined),
          set: async () => await new Promise<never>(() => undefined)
        }
      })
    })
    const created = expect(createPeer({ backend, environment: { clock } })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(61_000)
    await created
    expect(closed).toBe(true)
  })
})

describe('a backend that gives no bytes', () => {
  it.each([undefined, null, 'text', [1, 2]])('but %s is named', async (value) => {
    const data = await storeBackend()
    data.onGet = () => Promise.resolve(value as never)
    const peer = await createPeer({ messages: createBus().backend('bus'), data })
    for (const call of [() => peer.blocks.get(cid), () => peer.data.bytes(cid), () => peer.data.stat(cid)]) {
      await expect(call()).rejects.toMatchObject({ code: 'ENGINE', backend: 'bus+store' })
    }
    await peer.stop()
  })
})

describe('after stop', () => {
  it('stop and protect say so, and close is done', async () => {
    const peer: Peer = await createPeer({ messages: createBus().backend('bus'), data: await storeBackend() })
    const topic = peer.topic('t')
    const subscription = topic.subscribe()
    await subscription.joined
    await Promise.all([peer.stop(), peer.stop()])
    await peer[Symbol.asyncDispose]()
    await expect(peer.data.protect(async () => 1)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await subscription.close()
    await topic.close()
    expect(await subscription.next()).toMatchObject({ done: true })
    expect(() => topic.subscribe()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
  })
})

describe('an add inside of the loop over gc', () => {
  it('says what it waits for', async () => {
    const clock = new VirtualClock()
    const data = await storeBackend()
    const peer = await createPeer({ messages: createBus().backend('bus'), data, environment: { clock } })
    for (const fill of [1, 2]) await peer.blocks.put(new Uint8Array(9).fill(fill))
    const collected = peer.data.gc()
    await collected.next()
    const message = expect.stringContaining('a gc of this peer') as string
    const added = expect(peer.data.add('x', { timeout: 100 })).rejects.toMatchObject({ code: 'TIMEOUT', message })
    await clock.advance(200)
    await added
    await collected.return?.()
    await peer.data.add('x')
    await peer.stop()
  })
})
