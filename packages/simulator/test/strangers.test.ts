import { createPeer } from '@p2pl/core'
import { isP2plError } from '@p2pl/core/backend'
import type { Block } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { createSimulator, serveSlowly } from '../src/index.ts'
import { collect, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { world } from './harness.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe.each([
  ['straight', {}],
  ['through a mesh', { mesh: { degree: 6 } }]
])('a stranger, %s', (_name, options) => {
  it('publishes any bytes to all, or another thing to each', async () => {
    const { simulator, heard } = await world(3, options)
    const mallory = simulator.stranger('mallory')
    expect(mallory.publish('t', bytesOf('all'))).toBe(3)
    expect(mallory.publish('t', bytesOf('you'), ['h1'])).toBe(1)
    expect(mallory.publish('t', bytesOf('you two'), ['h0', 'h2'])).toBe(2)
    await simulator.run({ for: 1000 })
    const texts = heard.map((items) => items.toSorted())
    if (_name === 'straight')
      expect(texts).toEqual([
        ['all', 'you two'],
        ['all', 'you'],
        ['all', 'you two']
      ])
    // Honest peers of a mesh pass on what no validator refuses.
    else for (const items of texts) expect(items).toEqual(['all', 'you', 'you two'])
  })

  it('hears every message, passes none on, and hears no more after its end', async () => {
    const { simulator, publish } = await world(3, options)
    const mallory = simulator.stranger('mallory')
    const heard: string[] = []
    const listening = mallory.listen('t', ({ payload, from }) =>
      heard.push(`${from}: ${String.fromCharCode(...payload)}`)
    )
    await simulator.run({ for: 2000 })
    expect(await publish(0, 'one')).toBe(3)
    await simulator.run({ for: 1000 })
    listening.end()
    await publish(0, 'two')
    await simulator.run({ for: 1000 })
    expect(heard).toEqual(['h0: one'])
    expect(mallory.host.traffic).toMatchObject({ messages: 0, delivered: 1 })
  })
})

describe('a stranger', () => {
  it('has a new identity whenever it wants one', () => {
    const mallory = createSimulator({ seed: 1 }).stranger('mallory')
    const ids = Array.from({ length: 1000 }, () => mallory.identity().id)
    expect(new Set([...ids, mallory.host.identity.id]).size).toBe(1001)
  })

  it('does things at any rate, until their end', async () => {
    const simulator = createSimulator({ seed: 1 })
    const mallory = simulator.stranger('mallory')
    let [often, rarely] = [0, 0]
    const repeating = mallory.repeat(5000, () => often++)
    mallory.repeat(0.5, () => rarely++)
    await simulator.run({ for: 10_000 })
    expect([often, rarely]).toEqual([50_000, 5])
    repeating.end()
    await simulator.run({ for: 10_000 })
    expect([often, rarely]).toEqual([50_000, 10])
    for (const perSecond of [0, -1, NaN, Infinity])
      expect(() => mallory.repeat(perSecond, () => undefined)).toThrow('perSecond')
  })

  it('stops the run with the error of what it does', async () => {
    const simulator = createSimulator({ seed: 1 })
    simulator.stranger('mallory').repeat(10, () => Promise.reject(new Error('a bug of the attack')))
    await expect(simulator.run({ for: 1000 })).rejects.toThrow('a bug of the attack')
  })

  it('takes part beside a peer that runs on its host, and without it', async () => {
    const { simulator, heard } = await world(2)
    const mallory = simulator.stranger('mallory')
    const peer = await simulator.complete(createPeer(mallory.host.boot()))
    expect(mallory.publish('t', bytesOf('raw'))).toBe(2)
    await simulator.complete(peer.topic('t', { mode: 'raw' }).publish(bytesOf('by core')))
    await simulator.complete(peer.stop())
    expect(mallory.publish('t', bytesOf('after'))).toBe(2)
    await simulator.run({ for: 1000 })
    expect(heard[0]!.toSorted()).toEqual(['after', 'by core', 'raw'])
    mallory.host.boot()
    mallory.host.crash()
    expect(mallory.publish('t', bytesOf('still there'))).toBe(2)
  })

  it('leaves nothing behind when it leaves', async () => {
    const { simulator, backends, heard } = await world(2)
    const mallory = simulator.stranger('mallory')
    let calls = 0
    mallory.repeat(100, () => calls++)
    mallory.listen('t', () => calls++)
    serveSlowly(mallory, 'never')
    mallory.after(50, () => calls++)
    mallory.leave()
    expect(mallory.publish('t', bytesOf('ghost'))).toBe(0)
    expect((await backends[0]!.messages!.peers('t')).map(({ id }) => id)).toEqual(['h1'])
    const block = await rawBlock('x')
    await backends[1]!.blocks!.putMany([block])
    await simulator.complete(backends[0]!.blocks!.get(block.cid))
    await simulator.run({ for: 1000 })
    expect([calls, heard.flat()]).toEqual([0, []])
    expect(simulator.stats().fetched).toBe(1)
  })

  it('keeps a run with one seed the same', async () => {
    const run = async (seed: number): Promise<string> => {
      const { simulator } = await world(5, { seed, loss: 0.1 })
      const mallory = simulator.stranger('mallory')
      mallory.repeat(50, () => mallory.publish('t', Uint8Array.of(mallory.random() * 256)))
      await simulator.run({ for: 5000 })
      return simulator.traceHash()
    }
    expect(await run(1)).toBe(await run(1))
    expect(await run(1)).not.toBe(await run(2))
  })
})

describe('a request for a block that a stranger answers', () => {
  async function scene(): Promise<{
    block: Block
    get: (providers?: string[]) => Promise<{ bytes: Uint8Array; took: number }>
    stranger: ReturnType<ReturnType<typeof createSimulator>['stranger']>
    kept: () => Promise<boolean>
  }> {
    const { simulator, backends } = await world(2, { latency: 10, requestTimeout: 500 })
    const block = await rawBlock('the truth')
    await backends[0]!.blocks!.putMany([block])
    const stranger = simulator.stranger('mallory')
    const { blocks } = backends[1]!
    return {
      block,
      stranger,
      get: async () => {
        const begin = simulator.now
        const bytes = await simulator.complete(blocks!.get(block.cid, { providers: [stranger.address] }))
        return { bytes, took: simulator.now - begin }
      },
      kept: async () => await blocks!.has(block.cid)
    }
  }

  it('with silence costs the time of one request', async () => {
    const { stranger, get, block } = await scene()
    const asked: unknown[] = []
    stranger.serve(({ cid, from }) => {
      asked.push([cid.toString(), from])
      return 'silence'
    })
    expect(await get()).toEqual({ bytes: block.bytes, took: 520 })
    expect(asked).toEqual([[block.cid.toString(), 'h1']])
  })

  it('with a refusal costs one way there and back', async () => {
    const { stranger, get, block } = await scene()
    stranger.serve(() => 'missing')
    expect(await get()).toEqual({ bytes: block.bytes, took: 40 })
  })

  it('with wrong bytes hands these out and keeps nothing', async () => {
    const { stranger, get, kept } = await scene()
    stranger.serve(() => bytesOf('a lie'))
    expect(await get()).toEqual({ bytes: bytesOf('a lie'), took: 20 })
    expect(await kept()).toBe(false)
  })

  it('slowly takes so long, and what it has in its store is kept', async () => {
    const { stranger, get, kept, block } = await scene()
    stranger.keep(block)
    const serving = serveSlowly(stranger, 400)
    expect(await get()).toEqual({ bytes: block.bytes, took: 420 })
    expect(await kept()).toBe(true)
    serving.end()
  })

  it('too slowly is not waited for', async () => {
    const { stranger, get, block } = await scene()
    stranger.keep(block)
    serveSlowly(stranger, 5000)
    expect(await get()).toEqual({ bytes: block.bytes, took: 520 })
  })

  it('may come without a hint: the stranger says that it has everything', async () => {
    const { simulator, backends } = await world(1)
    const asked: string[] = []
    simulator.stranger('mallory').serve(({ from }) => {
      asked.push(from)
      return 'missing'
    })
    const stop = new AbortController()
    const getting = backends[0]!.blocks!.get((await rawBlock('nowhere')).cid, { signal: stop.signal })
    await simulator.run({ for: 1000 })
    stop.abort()
    await expect(getting).rejects.toSatisfy((error) => isP2plError(error, 'ABORTED'))
    expect(asked).toEqual(['h0'])
  })

  it('reaches a stranger that provides what it does not have', async () => {
    const { simulator, backends } = await world(2, { discovery: 'known' })
    const { cid } = await rawBlock('x')
    const mallory = simulator.stranger('mallory')
    mallory.provide(cid)
    mallory.serve(() => bytesOf('a lie'))
    const found = await simulator.complete(collect(backends[0]!.routing!.findProviders(cid)))
    expect(found).toEqual([mallory.address])
    expect(await simulator.complete(backends[0]!.blocks!.get(cid))).toEqual(bytesOf('a lie'))
  })
})
