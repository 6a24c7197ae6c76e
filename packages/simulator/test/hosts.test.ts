import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { createSimulator } from '../src/index.ts'
import { collect, rawBlock, settled } from '@p2pl/tooling-vitest/blocks'
import { listen, world } from './harness.ts'

describe('a crash', () => {
  it('keeps store, disk and identity, and nothing else', async () => {
    const { simulator, backends, heard, publish } = await world(2)
    const host = simulator.host('h0')
    const block = await rawBlock('kept')
    await backends[0]!.blocks!.putMany([block])
    await backends[0]!.blocks!.pin(block.cid)
    host.disk.set('file', 'content')
    const { id } = host.identity
    host.crash()
    expect(host.up).toBe(false)
    const next = host.boot()
    await next.backend.start()
    expect(next.identity.id).toBe(id)
    expect(host.disk.get('file')).toBe('content')
    expect(await next.backend.blocks!.get(block.cid, { local: true })).toEqual(block.bytes)
    expect(await collect(next.backend.blocks!.pins())).toHaveLength(1)
    await publish(1, 'nobody there is subscribed')
    await simulator.run({ for: 1000 })
    expect(heard[0]).toEqual([])
    await listen(next.backend, heard[0]!)
    await publish(1, 'now there is')
    await simulator.run({ for: 1000 })
    expect(heard[0]).toEqual(['now there is'])
  })

  it('freezes the code of the old process where it waits', async () => {
    const simulator = createSimulator({ seed: 1, latency: 10 })
    await simulator.backend('other').start()
    const { backend, environment } = simulator.host('h').boot()
    const { clock } = environment
    await backend.start()
    const log: string[] = []
    const { cid } = await rawBlock('nowhere')
    const watch = (name: string, promise: Promise<unknown>): void =>
      void promise.then(
        () => log.push(`${name} resolved`),
        () => log.push(`${name} rejected`)
      )
    clock.setTimeout(() => log.push('timer'), 50)
    watch('get', backend.blocks!.get(cid))
    watch('provide', backend.routing!.provide(cid))
    simulator.host('h').crash()
    watch('has', backend.blocks!.has(cid))
    watch('put', backend.blocks!.putMany([await rawBlock('ghost')]))
    watch('stop', backend.stop())
    watch('pins', collect(backend.blocks!.pins()))
    clock.setTimeout(() => log.push('later timer'), 1)
    await simulator.run({ for: 1000 })
    await settled()
    expect(log).toEqual([])
    expect(simulator.host('h').store.blocks.size).toBe(0)
  })

  it('may lose what was not synced, and with it the pins on it', async () => {
    const { simulator, backends } = await world(2, { syncDelay: 500 })
    const [old, young] = [await rawBlock('old'), await rawBlock('young')]
    const { blocks } = backends[0]!
    await blocks!.putMany([old])
    await blocks!.pin(old.cid)
    await simulator.run({ for: 500 })
    await blocks!.putMany([young])
    await blocks!.pin(young.cid)
    await simulator.run({ for: 499 })
    const host = simulator.host('h0')
    host.crash({ unsynced: 'lost' })
    const backend = simulator.backend('h0')
    await backend.start()
    expect(await backend.blocks!.has(old.cid)).toBe(true)
    expect(await backend.blocks!.has(young.cid)).toBe(false)
    expect((await collect(backend.blocks!.pins())).map(({ cid }) => cid.toString())).toEqual([old.cid.toString()])
    // Nor do others think that it is there.
    const getting = backends[1]!.blocks!.get(young.cid)
    expect(await simulator.runUntil(() => simulator.stats().fetched > 0, { limit: 5000 })).toBe(false)
    await backend.blocks!.putMany([young])
    expect(await simulator.complete(getting)).toEqual(young.bytes)
  })

  it('leaves no hold of a pin that was under way', async () => {
    const { simulator, backends } = await world(1)
    const root = await rawBlock('root')
    void backends[0]!.blocks!.pin(root.cid)
    simulator.host('h0').crash()
    const backend = simulator.backend('h0')
    await backend.start()
    await backend.blocks!.putMany([root])
    await backend.blocks!.delete(root.cid)
    expect(await backend.blocks!.has(root.cid)).toBe(false)
  })
})

describe('a host', () => {
  it('runs one process at a time, and a new one after a stop in good order', async () => {
    const simulator = createSimulator({ seed: 1 })
    const first = simulator.backend('h')
    await first.start()
    expect(() => simulator.backend('h')).toThrow('a process runs')
    await first.stop()
    const second = simulator.backend('h')
    await second.start()
    await expect(first.blocks!.has((await rawBlock('x')).cid)).rejects.toSatisfy((error) =>
      isP2plError(error, 'NOT_RUNNING')
    )
    await expect(first.start()).rejects.toSatisfy((error) => isP2plError(error, 'LOCKED'))
  })

  it('has random numbers of its own in each life', () => {
    const simulator = createSimulator({ seed: 1 })
    const draw = (id: string): number => {
      const { random } = simulator.host(id).boot().environment
      simulator.host(id).crash()
      return random()
    }
    const numbers = [draw('a'), draw('a'), draw('b'), simulator.random('a')(), simulator.random('b')()]
    expect(new Set(numbers).size).toBe(5)
    expect(simulator.random('a')()).toBe(numbers[3])
  })
})
