import { isP2plError } from '@p2pl/core/backend'
import type { Backend, BackendEvent, ErrorCode, PeerInfo, Subscriber } from '@p2pl/core/backend'
import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryNetwork, createMemoryStore, memory } from '../src/index.ts'
import type { MemoryOptions } from '../src/index.ts'
import { collect, rawBlock, settled } from '@p2pl/tooling-vitest/blocks'

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

const self = (backend: Backend): PeerInfo => backend.self()[0]!
const listener = (message: Subscriber['message']): Subscriber => ({ message, gap: () => undefined })
const deaf = listener(() => 'accept')

describe('networks', () => {
  it('joins backends without options through the process', async () => {
    const [a, b] = [await start({}), await start({})]
    await b.messages!.subscribe('topic', deaf)
    expect(await a.messages!.peers('topic')).toEqual([self(b)])
  })

  it('keeps networks of different names apart, and joins those of one name', async () => {
    const [a, b, c] = [
      await start({ network: 'one' }),
      await start({ network: 'two' }),
      await start({ network: 'one' })
    ]
    for (const backend of [b, c]) await backend.messages!.subscribe('topic', deaf)
    expect((await a.messages!.peers('topic')).map(({ id }) => id)).toEqual([self(c).id])
    expect([a, b].map((backend) => self(backend).network)).toEqual(['memory:one', 'memory:two'])
  })

  it('names peers readably, and refuses a second one of the same id', async () => {
    const network = createMemoryNetwork()
    const first = await start({ network })
    expect(first.self()).toEqual([{ network: 'memory', id: 'memory-1', addresses: ['memory:memory-1'] }])
    const second = memory({ network, id: 'memory-1' })
    await expect(second.start()).rejects.toEqual(refusal('LOCKED'))
    await first.stop()
    await second.start()
    started.push(second)
    expect(self(second).id).toBe('memory-1')
  })

  it('connects to no peer whose address leads to another', async () => {
    const network = createMemoryNetwork()
    const [a, b, c] = [await start({ network }), await start({ network }), await start({ network })]
    const mixed = { ...self(b), addresses: self(c).addresses }
    await expect(a.routing!.connect(mixed)).rejects.toEqual(refusal('UNREACHABLE'))
    expect(await a.routing!.connections()).toEqual([])
  })

  it('finds the peer that an address names', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    expect(a.routing!.parseAddress(self(b).addresses[0]!)).toEqual(self(b))
    for (const text of ['memory:', 'memory', '', '/ip4/127.0.0.1/tcp/1']) {
      expect(a.routing!.parseAddress(text)).toBeUndefined()
    }
  })

  it('refuses options that it cannot honour', () => {
    for (const options of [
      { nework: 'x' } as object,
      { id: '' },
      { maxMessageBytes: 0 },
      { maxBlockBytes: 1000 },
      { maxBlockBytes: 2.5e6 + 0.5 }
    ]) {
      expect(() => memory(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('gives its network as the engine', async () => {
    const network = createMemoryNetwork()
    const backend = memory({ network })
    expect(backend.engine).toBeUndefined()
    await backend.start()
    started.push(backend)
    expect(backend.engine).toBe(network)
  })
})

describe('stores', () => {
  it('forgets without a store of the caller, and remembers with one', async () => {
    const block = await rawBlock('kept?')
    for (const store of [undefined, createMemoryStore()]) {
      const backend = await start({ network: createMemoryNetwork(), store })
      await backend.blocks!.putMany([block])
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

  it('lists as a provider only a peer that runs', async () => {
    const network = createMemoryNetwork()
    const [provider, seeker] = [await start({ network }), await start({ network })]
    const { cid } = await rawBlock('provided')
    const info = self(provider)
    await provider.routing!.provide(cid)
    expect(await collect(seeker.routing!.findProviders(cid))).toEqual([info])
    await provider.stop()
    expect(await collect(seeker.routing!.findProviders(cid))).toEqual([])
  })
})

describe('blocks', () => {
  it('replace wrong bytes that were stored under their CID', async () => {
    const a = await start({ network: createMemoryNetwork() })
    const good = await rawBlock('good')
    await a.blocks!.putMany([{ cid: good.cid, bytes: new TextEncoder().encode('wrong') }])
    await a.blocks!.putMany([good])
    expect(await a.blocks!.get(good.cid)).toEqual(good.bytes)
  })

  it('that are wrong are taken from no peer', async () => {
    const network = createMemoryNetwork()
    const [liar, honest, seeker] = [await start({ network }), await start({ network }), await start({ network })]
    const good = await rawBlock('good')
    await liar.blocks!.putMany([{ cid: good.cid, bytes: new TextEncoder().encode('wrong') }])
    const getting = seeker.blocks!.get(good.cid, { providers: liar.self() })
    await settled()
    expect(await seeker.blocks!.has(good.cid)).toBe(false)
    await honest.blocks!.putMany([good])
    expect(await getting).toEqual(good.bytes)
  })

  it('of others replace wrong ones of its own when others alone are asked', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const good = await rawBlock('good')
    await a.blocks!.putMany([{ cid: good.cid, bytes: new TextEncoder().encode('wrong') }])
    const getting = a.blocks!.get(good.cid, { remote: true })
    await settled()
    await b.blocks!.putMany([good])
    expect(await getting).toEqual(good.bytes)
    expect(await a.blocks!.get(good.cid, { local: true })).toEqual(good.bytes)
  })

  it('leave nothing behind of a search that was ended', async () => {
    const network = createMemoryNetwork()
    const a = await start({ network })
    const stop = new AbortController()
    const { cid } = await rawBlock('nowhere')
    const getting = a.blocks!.get(cid, { signal: stop.signal })
    await settled()
    stop.abort()
    await expect(getting).rejects.toEqual(refusal('ABORTED'))
    await settled()
    expect(network.searching).toBe(0)
  })
})

describe('a peer that is cut off', () => {
  it('hears of the gap, reaches no peer meanwhile, and loses its connections', async () => {
    const network = createMemoryNetwork()
    const events: string[] = []
    const a = await start({ network, id: 'a' }, (event) => events.push(event.type))
    const b = await start({ network, id: 'b' })
    const heard: unknown[] = []
    await a.messages!.subscribe('t', {
      message: ({ payload }) => {
        heard.push(payload[0])
        return 'accept'
      },
      gap: ({ reason, lasted }) => heard.push(reason, (lasted ?? -1) >= 0),
      state: (state) => heard.push(state)
    })
    await b.routing!.connect(self(a))
    network.interrupt('a')
    expect(await b.messages!.publish('t', Uint8Array.of(1))).toEqual({ recipients: 0 })
    expect(await b.routing!.connections()).toEqual([])
    await expect(b.routing!.connect(self(a))).rejects.toEqual(refusal('UNREACHABLE'))
    await expect(b.routing!.provide((await rawBlock('x')).cid)).rejects.toEqual(refusal('NO_PEERS'))
    network.resume('a')
    expect(await b.messages!.publish('t', Uint8Array.of(2))).toEqual({ recipients: 1 })
    await settled()
    expect(heard).toEqual(['healing', 'disconnected', true, 'live', 2])
    await b.routing!.connect(self(a))
    expect(events).toEqual(['peer:connect', 'peer:disconnect', 'degraded', 'recovered', 'peer:connect'])
  })

  it('gets its block when it is back', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const block = await rawBlock('far')
    network.interrupt(self(a).id)
    await b.blocks!.putMany([block])
    let got: Uint8Array | undefined
    const getting = a.blocks!.get(block.cid).then((bytes) => (got = bytes))
    await settled()
    expect(got).toBeUndefined()
    network.resume(self(a).id)
    expect(await getting).toEqual(block.bytes)
  })
})

describe('messages', () => {
  it('answer each other without end, and let timers run meanwhile', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const rallied = Promise.withResolvers<void>()
    let hits = 0
    let turns = 0
    const count = setInterval(() => turns++, 0)
    for (const backend of [a, b])
      await backend.messages!.subscribe(
        'ball',
        listener(({ payload }) => {
          if (++hits < 20_000) void backend.messages!.publish('ball', payload)
          else rallied.resolve()
          return 'accept'
        })
      )
    await a.messages!.publish('ball', Uint8Array.of(1))
    await rallied.promise
    clearInterval(count)
    expect(hits).toBe(20_000)
    expect(turns).toBeGreaterThan(0)
  })

  it('of a flood arrive in order, over many turns of the event loop', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const heard: number[] = []
    let turns = 0
    const count = (): void => {
      turns++
      if (heard.length < 5000) setImmediate(count)
    }
    await b.messages!.subscribe(
      't',
      listener(({ payload }) => {
        heard.push(payload[0]! * 256 + payload[1]!)
        return 'accept'
      })
    )
    const publishes = Array.from({ length: 5000 }, (_, i) => a.messages!.publish('t', Uint8Array.of(i >> 8, i)))
    count()
    await Promise.all(publishes)
    while (heard.length < 5000) await settled()
    expect(heard).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    expect(turns).toBeGreaterThan(10)
  })

  it('arrive although their sender stops or is cut off right after', async () => {
    const network = createMemoryNetwork()
    const [a, b, c] = [await start({ network }), await start({ network }), await start({ network })]
    const heard: unknown[] = []
    await c.messages!.subscribe(
      't',
      listener(({ from }) => (heard.push(from), 'accept'))
    )
    await a.messages!.publish('t', new Uint8Array(1))
    const ids = [self(a).id, self(b).id]
    await a.stop()
    await b.messages!.publish('t', new Uint8Array(1))
    network.interrupt(self(b).id)
    await settled()
    expect(heard).toEqual(ids)
  })

  it('to a peer that is cut off before they arrive are lost, and it hears of a gap', async () => {
    const network = createMemoryNetwork()
    const [a, b] = [await start({ network }), await start({ network })]
    const heard: unknown[] = []
    await b.messages!.subscribe('t', {
      message: () => (heard.push('message'), 'accept'),
      gap: ({ reason }) => heard.push(reason)
    })
    await a.messages!.publish('t', new Uint8Array(1))
    network.interrupt(self(b).id)
    await settled()
    network.resume(self(b).id)
    await settled()
    expect(heard).toEqual(['disconnected'])
  })
})

it.each(['nobody', undefined, ''])('interrupt of %s says which ids there are', (id) => {
  expect(() => createMemoryNetwork().interrupt(id as never)).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('network.self()[0].id') as string
    })
  )
})
