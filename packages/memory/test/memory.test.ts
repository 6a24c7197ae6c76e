import { isP2plError } from '@p2pl/core/backend'
import type { Backend, BackendEvent, ErrorCode, Verdict } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryNetwork, createMemoryStore, memory } from '../src/index.ts'
import type { MemoryOptions } from '../src/index.ts'
import { collect, nodeBlock, rawBlock, settled } from './content.ts'

const started: Backend[] = []

async function start(options: MemoryOptions, onEvent?: (event: BackendEvent) => void): Promise<Backend> {
  const backend = memory(options)
  await backend.start({ onEvent })
  started.push(backend)
  return backend
}

afterEach(async () => {
  for (const backend of started.splice(0)) await backend.stop()
})

function refusal(code: ErrorCode): unknown {
  return expect.toSatisfy((error: unknown) => isP2plError(error, code) && error.backend === 'memory')
}

describe('networks', () => {
  it('joins backends without options through the process', async () => {
    const [a, b] = [await start({}), await start({})]
    await b.messages!.subscribe('topic', { message: () => undefined, gap: () => undefined })
    expect(await a.messages!.peers('topic')).toEqual([b.self()])
  })

  it('keeps networks of different names apart, and joins those of one name', async () => {
    const [a, b, c] = [
      await start({ network: 'one' }),
      await start({ network: 'two' }),
      await start({ network: 'one' })
    ]
    for (const backend of [b, c])
      await backend.messages!.subscribe('topic', { message: () => undefined, gap: () => undefined })
    expect((await a.messages!.peers('topic')).map(({ id }) => id)).toEqual([c.self().id])
  })

  it('names peers readably, and refuses a second one of the same id', async () => {
    const network = createMemoryNetwork()
    const first = await start({ network })
    expect(first.self()).toEqual({ id: 'memory-1', addresses: ['memory:memory-1'] })
    const second = memory({ network, id: 'memory-1' })
    await expect(second.start()).rejects.toEqual(refusal('LOCKED'))
    await first.stop()
    await second.start()
    started.push(second)
    expect(second.self().id).toBe('memory-1')
  })

  it('connects to nobody whose address leads to somebody else', async () => {
    const network = createMemoryNetwork()
    const [a, b, c] = [await start({ network }), await start({ network }), await start({ network })]
    const mixed = { id: b.self().id, addresses: c.self().addresses }
    await expect(a.routing!.connect(mixed)).rejects.toEqual(refusal('UNREACHABLE'))
  })

  it('refuses topics that are none', async () => {
    const a = await start({ network: createMemoryNetwork() })
    for (const topic of ['', 'ä'.repeat(513), undefined as unknown as string])
      await expect(a.messages!.publish(topic, new Uint8Array())).rejects.toEqual(refusal('INVALID_ARGUMENT'))
    await a.messages!.publish('ä'.repeat(512), new Uint8Array())
  })

  it('refuses options that it cannot honour', () => {
    for (const options of [
      { nework: 'x' } as object,
      { id: '' },
      { maxMessageBytes: 0 },
      { maxBlockBytes: 1000 },
      { maxBlockBytes: 2.5e6 + 0.5 }
    ])
      expect(() => memory(options)).toThrow(refusal('INVALID_ARGUMENT'))
  })
})

describe('stores', () => {
  it('forgets without a store of the caller, and remembers with one', async () => {
    const block = await rawBlock('kept?')
    for (const store of [undefined, createMemoryStore()]) {
      const backend = await start({ network: createMemoryNetwork(), store })
      await backend.blocks!.put(block)
      await backend.blocks!.pin(block.cid)
      await backend.stop()
      await backend.start()
      expect(await backend.blocks!.has(block.cid)).toBe(store !== undefined)
      expect(await collect(backend.blocks!.pins())).toHaveLength(store === undefined ? 0 : 1)
      if (store !== undefined) await expect(backend.blocks!.delete(block.cid)).rejects.toEqual(refusal('PINNED'))
    }
  })

  it('serves one running backend at a time', async () => {
    const store = createMemoryStore()
    const first = await start({ network: 'stores', store })
    const second = memory({ network: 'stores', store })
    await expect(second.start()).rejects.toEqual(refusal('LOCKED'))
    await first.stop()
    await second.start()
    started.push(second)
  })

  it('announces again after a restart what it provided, and nothing while it is stopped', async () => {
    const network = createMemoryNetwork()
    const [provider, seeker] = [await start({ network, store: createMemoryStore() }), await start({ network })]
    const { cid } = await rawBlock('provided')
    const { id } = provider.self()
    await provider.routing!.provide(cid)
    await provider.stop()
    expect(await collect(seeker.routing!.findProviders(cid))).toEqual([])
    await provider.start()
    expect((await collect(seeker.routing!.findProviders(cid))).map((peer) => peer.id)).toEqual([id])
  })
})

describe('blocks', () => {
  it('replace wrong bytes that were stored under their CID', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const good = await rawBlock('good')
    const wrong = { cid: good.cid, bytes: new TextEncoder().encode('wrong') }
    for (const mend of [() => a.blocks!.put(good), () => a.blocks!.putMany([good])]) {
      await a.blocks!.put(wrong)
      await mend()
      expect(await a.blocks!.get(good.cid)).toEqual(good.bytes)
    }
    expect(await b.blocks!.get(good.cid)).toEqual(good.bytes)
  })

  it('of hashes that core cannot verify are refused by every call', async () => {
    const { blocks } = await start({ network: createMemoryNetwork() })
    const { multihash } = (await rawBlock('x')).cid
    const digests = [createDigest(0x12, multihash.digest.slice(0, 20)), createDigest(0x1e, multihash.digest)]
    for (const cid of digests.map((each) => CID.createV1(0x55, each))) {
      const block = { cid, bytes: Uint8Array.of(1) }
      for (const call of [
        () => blocks!.put(block),
        () => blocks!.putMany([block]),
        () => blocks!.get(cid),
        () => blocks!.has(cid),
        () => blocks!.delete(cid),
        () => blocks!.pin(cid),
        () => blocks!.unpin(cid)
      ])
        await expect(call()).rejects.toEqual(refusal('UNSUPPORTED'))
    }
  })
})

describe('a peer that is cut off', () => {
  it('hears of the gap, nobody hears of it meanwhile, and its connections come back', async () => {
    const network = createMemoryNetwork()
    const events: string[] = []
    const a = await start({ network, id: 'a' }, (event) => events.push(event.type))
    const b = await start({ network, id: 'b' })
    const heard: unknown[] = []
    await a.messages!.subscribe('t', {
      message: ({ payload }) => heard.push(payload[0]),
      gap: ({ reason }) => heard.push(reason)
    })
    await b.routing!.connect(a.self())
    network.interrupt('a')
    expect(await b.messages!.publish('t', Uint8Array.of(1))).toEqual({ recipients: 0 })
    expect(await b.routing!.connections()).toEqual([])
    await expect(b.routing!.connect(a.self())).rejects.toEqual(refusal('UNREACHABLE'))
    await expect(b.routing!.provide((await rawBlock('x')).cid)).rejects.toEqual(refusal('NO_PEERS'))
    network.resume('a')
    expect(await b.messages!.publish('t', Uint8Array.of(2))).toEqual({ recipients: 1 })
    await settled()
    expect(heard).toEqual(['disconnected', 2])
    expect((await b.routing!.connections()).map(({ id }) => id)).toEqual(['a'])
    expect(events).toEqual(['peer:connect', 'peer:disconnect', 'degraded', 'recovered', 'peer:connect'])
  })

  it('gets its block when it is back', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const block = await rawBlock('far')
    network.interrupt(a.self().id)
    await b.blocks!.put(block)
    let got: Uint8Array | undefined
    const getting = a.blocks!.get(block.cid).then((bytes) => (got = bytes))
    await settled()
    expect(got).toBeUndefined()
    network.resume(a.self().id)
    expect(await getting).toEqual(block.bytes)
  })
})

describe('subscriptions', () => {
  it('bound what waits for a validator, and report what they drop', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const gate = Promise.withResolvers<Verdict>()
    const heard: unknown[] = []
    await b.messages!.subscribe('t', {
      validate: () => gate.promise,
      message: ({ payload }) => heard.push(payload.byteLength),
      gap: ({ reason }) => heard.push(reason)
    })
    for (let i = 0; i < 3000; i++) await a.messages!.publish('t', new Uint8Array(1))
    await settled()
    gate.resolve('accept')
    await settled()
    expect(heard.filter((item) => item === 'overflow')).toHaveLength(1)
    expect(heard.filter((item) => item === 1).length).toBe(1024)
  })

  it('keep the order of a sender although verdicts take different times', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const verdicts = Array.from({ length: 4 }, () => Promise.withResolvers<Verdict>())
    const heard: (number | undefined)[] = []
    await b.messages!.subscribe('t', {
      validate: ({ payload }) => (payload[0] === 4 ? 'accept' : verdicts[payload[0]!]!.promise),
      message: ({ payload }) => heard.push(payload[0]),
      gap: () => undefined
    })
    for (let i = 0; i <= 4; i++) await a.messages!.publish('t', Uint8Array.of(i))
    await settled()
    verdicts[3]!.resolve('accept')
    verdicts[2]!.reject(new Error('cannot say'))
    verdicts[1]!.resolve('accept')
    await settled()
    expect(heard).toEqual([])
    verdicts[0]!.resolve('reject')
    await settled()
    expect(heard).toEqual([1, 3, 4])
  })

  it('answer each other without end and without growing the stack', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const rallied = Promise.withResolvers<void>()
    let hits = 0
    for (const backend of [a, b])
      await backend.messages!.subscribe('ball', {
        message: ({ payload }) => {
          if (++hits < 50_000) void backend.messages!.publish('ball', payload)
          else rallied.resolve()
        },
        gap: () => undefined
      })
    await a.messages!.publish('ball', Uint8Array.of(1))
    await rallied.promise
    expect(hits).toBe(50_000)
  })
})

describe('pins', () => {
  it('made again fetch what is missing below them, and end although it is missing', async () => {
    const network = createMemoryNetwork()
    const store = createMemoryStore()
    const [a, b] = [await start({ network, store }), await start({ network })]
    const leaf = await rawBlock('leaf')
    const root = await nodeBlock([leaf.cid])
    await b.blocks!.putMany([root, leaf])
    await a.blocks!.pin(root.cid)
    store.blocks.clear()
    await a.blocks!.pin(root.cid)
    for (const { cid, bytes } of [root, leaf]) expect(await a.blocks!.get(cid, { local: true })).toEqual(bytes)
    store.blocks.clear()
    await a.blocks!.unpin(root.cid)
    expect(await collect(a.blocks!.pins())).toEqual([])
  })

  it('hold what is below the root, also what arrives while the pin is under way', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const [here, far] = [await rawBlock('here'), await rawBlock('far')]
    const root = await nodeBlock({ here: here.cid, far: far.cid })
    await a.blocks!.putMany([root, here])
    const pinning = a.blocks!.pin(root.cid)
    await settled()
    expect(await collect(a.blocks!.gc())).toEqual([])
    await b.blocks!.put(far)
    await pinning
    await expect(a.blocks!.delete(far.cid)).rejects.toEqual(refusal('PINNED'))
    await a.blocks!.unpin(root.cid)
    expect(await collect(a.blocks!.gc())).toHaveLength(3)
  })

  it('that fail hold nothing', async () => {
    const a = await start({ network: createMemoryNetwork() })
    const child = await rawBlock('child')
    const root = await nodeBlock([child.cid, (await rawBlock('nowhere')).cid])
    await a.blocks!.putMany([root, child])
    const stop = new AbortController()
    const pinning = a.blocks!.pin(root.cid, { signal: stop.signal })
    await settled()
    stop.abort()
    await expect(pinning).rejects.toEqual(refusal('ABORTED'))
    expect(await collect(a.blocks!.gc())).toHaveLength(2)
  })

  it('of overlapping graphs end one by one', async () => {
    const a = await start({ network: createMemoryNetwork() })
    const shared = await rawBlock('shared')
    const [left, right] = [await nodeBlock({ left: shared.cid }), await nodeBlock({ right: shared.cid })]
    await a.blocks!.putMany([shared, left, right])
    await Promise.all([left, right, left].map(({ cid }) => a.blocks!.pin(cid)))
    await a.blocks!.unpin(left.cid)
    expect((await collect(a.blocks!.gc())).map(String)).toEqual([left.cid.toString()])
    await a.blocks!.unpin(right.cid)
    expect(await collect(a.blocks!.gc())).toHaveLength(2)
  })

  it('take blocks with very many links, and with very long ones', async () => {
    const a = await start({ network: createMemoryNetwork() })
    const nothing = CID.createV1(0x55, identity.digest(new Uint8Array(0)))
    const long = CID.createV1(0x55, identity.digest(new Uint8Array(500_000)))
    const many = await nodeBlock([...Array.from({ length: 150_000 }, () => nothing), long])
    await a.blocks!.put(many)
    await a.blocks!.pin(many.cid)
    expect((await collect(a.blocks!.getDag!(many.cid))).map(({ cid }) => cid.toString())).toEqual([many.cid.toString()])
    expect(await collect(a.blocks!.gc())).toEqual([])
  })

  it('say which codec they cannot look into, and refuse bytes that are not of their codec', async () => {
    const a = await start({ network: createMemoryNetwork() })
    const bytes = new TextEncoder().encode('no such thing')
    const digest = await sha256.digest(bytes)
    const [unknown, wrong] = [CID.createV1(0x300000, digest), CID.createV1(0x71, digest)]
    await a.blocks!.put({ cid: unknown, bytes })
    await expect(a.blocks!.pin(unknown)).rejects.toEqual(refusal('UNSUPPORTED'))
    await expect(a.blocks!.pin(wrong)).rejects.toEqual(refusal('INVALID_CONTENT'))
    await a.blocks!.pin(unknown, { recursive: false })
    expect(await collect(a.blocks!.gc())).toEqual([])
  })
})
