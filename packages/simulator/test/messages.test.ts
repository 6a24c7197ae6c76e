import type { Verdict } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { hearing, listen, world } from './harness.ts'

const texts = Array.from({ length: 200 }, (_, i) => `m${i}`)

describe.each([
  ['straight', {}],
  ['through a mesh', { mesh: { degree: 6 } }]
])('messages %s', (_name, options) => {
  it('reach every subscriber but the publisher once', async () => {
    const { simulator, heard, publish } = await world(40, options)
    const recipients = await publish(7, 'hello')
    expect(recipients).toBeGreaterThan(2)
    await simulator.run({ for: 1000 })
    expect(heard.map((items) => items.length)).toEqual(heard.map((_items, i) => (i === 7 ? 0 : 1)))
  })

  it('are not there before their latency has passed', async () => {
    const { simulator, heard, publish } = await world(3, { ...options, latency: 50 })
    await publish(0, 'slow')
    await simulator.run({ for: 49 })
    expect(heard.flat()).toEqual([])
    await simulator.run({ for: 1 })
    expect(heard.flat()).toEqual(['slow', 'slow'])
  })

  it('are lost on blocked ways, in one direction only', async () => {
    const { simulator, backends, heard, publish } = await world(2, options)
    const block = simulator.block(['h0'], ['h1'])
    expect(await publish(0, 'there')).toBe(0)
    expect(await backends[0]!.messages!.peers('t')).toEqual([])
    expect(await publish(1, 'back')).toBe(1)
    await simulator.run({ for: 1000 })
    expect(heard).toEqual([['back'], []])
    block.end()
    // A mesh adapts with its next heartbeat.
    await simulator.run({ for: 2000 })
    await publish(0, 'again')
    await simulator.run({ for: 1000 })
    expect(heard[1]).toEqual(['again'])
  })

  it('on their way are lost when the way is blocked before they arrive', async () => {
    const { simulator, heard, publish } = await world(2, { ...options, latency: 50 })
    await publish(0, 'cut')
    await simulator.run({ for: 25 })
    simulator.partition(['h0'])
    await simulator.run({ for: 1000 })
    expect(heard[1]).toEqual([])
    expect(simulator.stats().blocked).toBe(1)
  })

  it('stay within their side of a partition, and pass when it is healed', async () => {
    const { simulator, heard, publish } = await world(40, options)
    simulator.partition(Array.from({ length: 15 }, (_, i) => `h${i}`))
    await simulator.run({ for: 2000 })
    await publish(0, 'few')
    await publish(39, 'many')
    await simulator.run({ for: 2000 })
    expect(heard.filter((items) => items.includes('few'))).toHaveLength(14)
    expect(heard.filter((items) => items.includes('many'))).toHaveLength(24)
    expect(heard.filter((items) => items.length > 1)).toEqual([])
    simulator.heal()
    await simulator.run({ for: 2000 })
    await publish(0, 'all')
    await simulator.run({ for: 2000 })
    expect(heard.filter((items) => items.includes('all'))).toHaveLength(39)
  })

  it('do not reach a crashed host, which others route around', async () => {
    const { simulator, heard, publish } = await world(20, options)
    for (const id of ['h1', 'h2', 'h3', 'h4']) simulator.host(id).crash()
    await publish(0, 'first')
    await simulator.run({ for: 2000 })
    await publish(0, 'second')
    await simulator.run({ for: 2000 })
    expect(heard.slice(1, 5).flat()).toEqual([])
    expect(heard.slice(5).filter((items) => items.includes('second'))).toHaveLength(15)
  })

  it('name their publisher, also one that is not subscribed', async () => {
    const { simulator, heard } = await world(5, options)
    const stranger = simulator.backend('stranger')
    await stranger.start()
    const from: (string | undefined)[] = []
    const listener = simulator.backend('listener')
    await listener.start()
    await listener.messages!.subscribe(
      't',
      hearing((message) => from.push(message.from))
    )
    await simulator.run({ for: 2000 })
    await stranger.messages!.publish('t', new Uint8Array())
    await simulator.run({ for: 2000 })
    expect(heard.flat()).toHaveLength(5)
    expect(from).toEqual(['stranger'])
  })
})

describe('what can happen to messages', () => {
  it('loss', async () => {
    const { simulator, heard, publish } = await world(2, { loss: 0.3 })
    for (const text of texts) await publish(0, text)
    await simulator.run({ for: 1000 })
    expect(heard[1]!.length).toBeGreaterThan(100)
    expect(heard[1]!.length).toBeLessThan(180)
    expect(simulator.stats().lost).toBe(200 - heard[1]!.length)
  })

  it('a burst of loss from one host only', async () => {
    const { simulator, heard, publish } = await world(3)
    const burst = simulator.disturb({ from: ['h0'], loss: 1 })
    await publish(0, 'lost')
    await publish(1, 'arrives')
    burst.end()
    await publish(0, 'after')
    await simulator.run({ for: 1000 })
    expect(heard[2]!.toSorted()).toEqual(['after', 'arrives'])
  })

  it('duplication', async () => {
    const { simulator, heard, publish } = await world(2, { duplicate: 0.2 })
    for (const text of texts) await publish(0, text)
    await simulator.run({ for: 1000 })
    expect(new Set(heard[1]).size).toBe(200)
    expect(heard[1]!.length).toBeGreaterThan(215)
    expect(heard[1]!.length).toBeLessThan(270)
  })

  it('duplication behind a mesh, which itself lets everything through once', async () => {
    const { simulator, heard, publish } = await world(10, { mesh: { degree: 4 } })
    const doubling = simulator.disturb({ to: ['h9'], duplicate: 1 })
    await publish(0, 'twice')
    await simulator.run({ for: 1000 })
    doubling.end()
    expect(heard.map((items) => items.length)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])
  })

  it('reordering, and none of it with a constant latency', async () => {
    const order = async (options: object): Promise<string[]> => {
      const { simulator, heard, publish } = await world(2, { latency: 20, ...options })
      for (const text of texts) {
        await publish(0, text)
        await simulator.run({ for: 1 })
      }
      await simulator.run({ for: 1000 })
      return heard[1]!
    }
    expect(await order({})).toEqual(texts)
    const mixed = await order({ reorder: { probability: 0.1, by: 50 } })
    expect(mixed).not.toEqual(texts)
    expect(mixed.toSorted()).toEqual(texts.toSorted())
  })

  it('delay and slow hosts', async () => {
    const { simulator, heard, publish } = await world(3, { latency: 10 })
    const delay = simulator.disturb({ from: ['h0'], to: ['h1'], delay: 100 })
    simulator.host('h2').slowness = 5
    await publish(0, 'x')
    await simulator.run({ for: 49 })
    expect(heard.flat()).toEqual([])
    await simulator.run({ for: 1 })
    expect(heard).toEqual([[], [], ['x']])
    await simulator.run({ for: 60 })
    expect(heard).toEqual([[], ['x'], ['x']])
    delay.end()
  })

  it('a narrow uplink', async () => {
    const { simulator, backends } = await world(2, { latency: 10, bandwidth: 1000 })
    const at: number[] = []
    await backends[1]!.messages!.subscribe(
      'big',
      hearing(() => at.push(simulator.now))
    )
    const begin = simulator.now
    for (let i = 0; i < 3; i++) await backends[0]!.messages!.publish('big', new Uint8Array(500))
    await simulator.run({ for: 5000 })
    expect(at.map((time) => time - begin)).toEqual([510, 1010, 1510])
  })

  it('lies', async () => {
    const { simulator, heard, publish } = await world(2)
    simulator.host('h0').lies = { messages: 1 }
    await publish(0, 'true')
    simulator.host('h0').inject('t', new TextEncoder().encode('injected'))
    simulator.host('h0').lies = {}
    expect(simulator.host('h0').inject('t', new TextEncoder().encode('plain'))).toBe(1)
    await simulator.run({ for: 1000 })
    expect(heard[1]).toHaveLength(3)
    expect(heard[1]).toContain('plain')
    expect(heard[1]).not.toContain('true')
  })

  it('garbage from a lying host of a mesh, also for hosts that had the right message', async () => {
    const { simulator, heard, publish } = await world(12, { mesh: { degree: 4 } })
    simulator.host('h5').lies = { messages: 1 }
    await publish(0, 'true')
    await simulator.run({ for: 3000 })
    const honest = heard.filter((_items, i) => i !== 0 && i !== 5)
    expect(honest.filter((items) => items.includes('true'))).toHaveLength(10)
    expect(honest.filter((items) => items.some((text) => text !== 'true')).length).toBeGreaterThan(0)
  })
})

describe('verdicts', () => {
  it('decide what a mesh passes on', async () => {
    const { simulator } = await world(0, { mesh: { degree: 4 } })
    const reached: string[] = []
    for (let i = 0; i < 30; i++) {
      const backend = simulator.backend(`v${i}`)
      await backend.start()
      const message = async (): Promise<Verdict> => {
        reached.push(`v${i}`)
        return 'ignore'
      }
      await backend.messages!.subscribe('t', { message, gap: () => undefined })
    }
    await simulator.run({ for: 2000 })
    const publisher = simulator.backend('publisher')
    await publisher.start()
    await publisher.messages!.publish('t', Uint8Array.of(1))
    await simulator.run({ for: 2000 })
    expect(reached.length).toBeGreaterThan(0)
    expect(reached.length).toBeLessThanOrEqual(4)
  })
})

describe('late joiners', () => {
  it('hear what is published after they came', async () => {
    const { simulator, heard, publish } = await world(10, { mesh: { degree: 4 } })
    await publish(0, 'before')
    await simulator.run({ for: 1000 })
    const late = simulator.backend('late')
    await late.start()
    const lateHeard: string[] = []
    await listen(late, lateHeard)
    await publish(0, 'after')
    await simulator.run({ for: 1000 })
    expect(lateHeard).toEqual(['after'])
    expect(heard[9]).toEqual(['before', 'after'])
  })
})
