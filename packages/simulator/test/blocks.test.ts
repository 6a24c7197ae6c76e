import { createPeer } from '@p2pl/core'
import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { collect, nodeBlock, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { createSimulator } from '../src/index.ts'
import { world } from './harness.ts'

describe('blocks', () => {
  it('take a way there and a way back', async () => {
    const { simulator, backends } = await world(2, { latency: 30 })
    const block = await rawBlock('x')
    await backends[0]!.blocks!.putMany([block])
    const begin = simulator.now
    expect(await simulator.complete(backends[1]!.blocks!.get(block.cid))).toEqual(block.bytes)
    expect(simulator.now - begin).toBe(60)
    expect(await backends[1]!.blocks!.has(block.cid)).toBe(true)
    expect(simulator.stats().fetched).toBe(1)
  })

  it('arrive although requests and responses get lost', async () => {
    const { simulator, backends } = await world(3, { loss: 0.6 })
    const blocks = await Promise.all(Array.from({ length: 50 }, (_, i) => rawBlock(`${i}`)))
    for (const block of blocks) await backends[0]!.blocks!.putMany([block])
    await simulator.complete(Promise.all(blocks.map(({ cid }) => backends[2]!.blocks!.get(cid))), { limit: 300_000 })
    expect(simulator.stats().lost).toBeGreaterThan(50)
  })

  it('come from another host when the first one does not answer', async () => {
    const { simulator, backends } = await world(3, { latency: 10, requestTimeout: 500 })
    const block = await rawBlock('x')
    for (const source of [0, 1]) await backends[source]!.blocks!.putMany([block])
    // The request arrives, the answer does not.
    simulator.block(['h0'], ['h2'])
    const begin = simulator.now
    const providers = [backends[0]!.self()[0]!]
    expect(await simulator.complete(backends[2]!.blocks!.get(block.cid, { providers }))).toEqual(block.bytes)
    expect(simulator.now - begin).toBe(520)
  })

  it('that no host has are waited for, until one has them, the way is free, or the host is back', async () => {
    const { simulator, backends } = await world(2)
    const [a, b] = [backends[0]!.blocks!, backends[1]!.blocks!]
    const [later, far, gone] = [await rawBlock('later'), await rawBlock('far'), await rawBlock('gone')]
    const getting = b.get(later.cid)
    await simulator.run({ for: 10_000 })
    await a.putMany([later, far, gone])
    expect(await simulator.complete(getting, { limit: 1000 })).toEqual(later.bytes)

    const partition = simulator.partition(['h0'])
    const gettingFar = b.get(far.cid)
    await simulator.run({ for: 10_000 })
    partition.end()
    expect(await simulator.complete(gettingFar, { limit: 1000 })).toEqual(far.bytes)

    simulator.host('h0').crash()
    const gettingGone = b.get(gone.cid)
    await simulator.run({ for: 10_000 })
    await simulator.backend('h0').start()
    expect(await simulator.complete(gettingGone, { limit: 1000 })).toEqual(gone.bytes)
  })

  it('stop being looked for when the signal fires', async () => {
    const { simulator, backends } = await world(2, { requestTimeout: 100 })
    const stop = new AbortController()
    const getting = backends[1]!.blocks!.get((await rawBlock('never')).cid, {
      signal: stop.signal,
      providers: [backends[0]!.self()[0]!]
    })
    await simulator.run({ for: 1000 })
    stop.abort()
    await expect(getting).rejects.toSatisfy((error) => isP2plError(error, 'ABORTED'))
    const { events } = simulator.stats()
    await simulator.run({ for: 100_000 })
    expect(simulator.stats().events).toBe(events)
  })

  it('of a lying host are wrong, are not kept, and do not shut out the right ones', async () => {
    const { simulator, backends } = await world(3)
    const block = await rawBlock('the truth')
    for (const source of [0, 1]) await backends[source]!.blocks!.putMany([block])
    simulator.host('h0').lies = { blocks: 1 }
    const { blocks } = backends[2]!
    const providers = [backends[0]!.self()[0]!]
    expect(await simulator.complete(blocks!.get(block.cid, { providers }))).not.toEqual(block.bytes)
    expect(await blocks!.has(block.cid)).toBe(false)
    const second = await simulator.complete(blocks!.get(block.cid, { providers: [backends[1]!.self()[0]!] }))
    expect(second).toEqual(block.bytes)
    expect(await backends[0]!.blocks!.get(block.cid)).toEqual(block.bytes)
  })

  it('are pinned only when the right ones are here', async () => {
    const { simulator, backends } = await world(2)
    const leaf = await rawBlock('leaf')
    const root = await nodeBlock([leaf.cid])
    await backends[0]!.blocks!.putMany([root, leaf])
    simulator.host('h0').lies = { blocks: 0.7 }
    await simulator.complete(backends[1]!.blocks!.pin(root.cid))
    for (const block of [root, leaf])
      expect(await backends[1]!.blocks!.get(block.cid, { local: true })).toEqual(block.bytes)
  })

  it('are asked only of known hosts, with that option', async () => {
    const { simulator, backends } = await world(3, { discovery: 'known' })
    const [a, b, c] = backends.map((backend) => backend.blocks!)
    const blocks = await Promise.all(['hinted', 'provided', 'connected'].map((text) => rawBlock(text)))
    const [hinted, provided, connected] = blocks.map(({ cid }) => cid)
    await a!.putMany(blocks)
    const getting = c!.get(connected!)
    expect(await simulator.runUntil(() => simulator.stats().fetched > 0, { limit: 10_000 })).toBe(false)
    await simulator.complete(c!.get(hinted!, { providers: [backends[0]!.self()[0]!] }))
    await simulator.complete(backends[0]!.routing!.provide(provided!))
    await simulator.complete(b!.get(provided!))
    await simulator.complete(backends[2]!.routing!.connect(backends[0]!.self()[0]!))
    await simulator.complete(getting)
    expect(simulator.stats().fetched).toBe(3)
  })

  it('are asked for again when a host says later that it has them', async () => {
    const { simulator, backends } = await world(2, { discovery: 'known' })
    const block = await rawBlock('x')
    await backends[0]!.blocks!.putMany([block])
    const getting = backends[1]!.blocks!.get(block.cid)
    await simulator.run({ for: 10_000 })
    await simulator.complete(backends[0]!.routing!.provide(block.cid))
    expect(await simulator.complete(getting, { limit: 1000 })).toEqual(block.bytes)
  })
})

describe('routing', () => {
  it('finds providers, also crashed ones, but none that has stopped', async () => {
    const { simulator, backends } = await world(4)
    const { cid } = await rawBlock('x')
    for (const i of [0, 1, 2]) await simulator.complete(backends[i]!.routing!.provide(cid))
    simulator.host('h0').crash()
    await backends[1]!.stop()
    const found = await simulator.complete(collect(backends[3]!.routing!.findProviders(cid)))
    expect(found.map(({ id }) => id).toSorted()).toEqual(['h0', 'h2'])
  })

  it('cannot provide alone, nor connect over a blocked way', async () => {
    const { simulator, backends } = await world(2)
    simulator.partition(['h0'])
    const { routing } = backends[0]!
    const provide = simulator.complete(routing!.provide((await rawBlock('x')).cid))
    await expect(provide).rejects.toSatisfy((error) => isP2plError(error, 'NO_PEERS') && error.retryable)
    const connect = simulator.complete(routing!.connect(backends[1]!.self()[0]!))
    await expect(connect).rejects.toSatisfy((error) => isP2plError(error, 'UNREACHABLE'))
    const find = simulator.complete(routing!.findPeer('h1'))
    await expect(find).rejects.toSatisfy((error) => isP2plError(error, 'NOT_FOUND'))
  })

  it('loses connections with the way or the process, and tells both sides', async () => {
    const { simulator, backends } = await world(2)
    const events: string[] = []
    // A running backend takes further listeners.
    await backends[0]!.start({ onEvent: ({ type }) => events.push(type) })
    const connections = async (): Promise<string[]> => (await backends[0]!.routing!.connections()).map(({ id }) => id)
    const connect = async (): Promise<void> => {
      await simulator.complete(backends[0]!.routing!.connect(backends[1]!.self()[0]!))
    }
    await connect()
    expect(await connections()).toEqual(['h1'])
    const block = simulator.block(['h1'], ['h0'])
    expect(await connections()).toEqual([])
    block.end()
    await connect()
    simulator.host('h1').crash()
    expect(await connections()).toEqual([])
    expect(events).toEqual(['peer:connect', 'peer:disconnect', 'peer:connect', 'peer:disconnect'])
  })

  it('is reached by core again when the way is open again', async () => {
    const simulator = createSimulator({ seed: 1 })
    const [a, b] = [
      await simulator.complete(createPeer(simulator.host('a').boot())),
      await simulator.complete(createPeer(simulator.host('b').boot()))
    ]
    const connected = async (): Promise<boolean> => (await a.network.connections()).length === 1
    await simulator.complete(a.network.connect(b.network.self()[0]!))
    expect(await connected()).toBe(true)
    const partition = simulator.partition(['a'])
    await simulator.run({ for: 60_000 })
    expect(await connected()).toBe(false)
    partition.end()
    expect(await simulator.runUntil(connected, { limit: 60_000 })).toBe(true)
  })
})
