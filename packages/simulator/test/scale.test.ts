import { describe, expect, it } from 'vitest'
import { rawBlock } from '@p2pl/tooling-vitest/blocks'
import { world } from './harness.ts'

describe('a thousand hosts', () => {
  it.each([
    ['straight', {}],
    ['through a mesh', { mesh: { degree: 6 } }]
  ])('talk %s, through a partition and after it', async (_name, options) => {
    const { simulator, heard, publish } = await world(1000, options)
    for (let i = 0; i < 10; i++) {
      await publish(i * 100, `m${i}`)
      await simulator.run({ for: 100 })
    }
    await simulator.run({ for: 2000 })
    expect(heard.reduce((sum, items) => sum + items.length, 0)).toBe(10 * 999)
    const partition = simulator.partition(Array.from({ length: 500 }, (_, i) => `h${i}`))
    await simulator.run({ for: 2000 })
    await publish(0, 'half')
    await simulator.run({ for: 2000 })
    expect(heard.filter((items) => items.includes('half'))).toHaveLength(499)
    partition.end()
    await simulator.run({ for: 2000 })
    await publish(0, 'whole')
    await simulator.run({ for: 2000 })
    expect(heard.filter((items) => items.includes('whole'))).toHaveLength(999)
  })

  it('fetch one block, each from a host that has it by then', async () => {
    const { simulator, backends } = await world(1000)
    const block = await rawBlock('popular')
    const fetched = backends.slice(1).map((backend) => backend.blocks!.get(block.cid))
    await backends[0]!.blocks!.putMany([block])
    const all = await simulator.complete(Promise.all(fetched))
    expect(all.every((bytes) => bytes.byteLength === block.bytes.byteLength)).toBe(true)
    expect(simulator.stats().fetched).toBe(999)
  })
})
