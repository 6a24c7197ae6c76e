import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { describe, expect, it } from 'vitest'
import {
  createSimulator,
  flood,
  floodClaims,
  floodEnvelopes,
  measureAmplification,
  replay,
  serveSlowly
} from '../src/index.ts'
import type { Ending, Simulator, SimulatorOptions, Stranger } from '../src/index.ts'

const seconds = 1000
const hour = 3600 * seconds

/** Peers of core on one topic, and what each has heard from the first one. */
class Scene {
  readonly simulator: Simulator
  readonly heard: Map<string, (number | undefined)[]> = new Map()
  first: Peer | undefined

  constructor(options: Partial<SimulatorOptions> = {}) {
    this.simulator = createSimulator({ seed: 1, ...options })
  }

  async start(id: string): Promise<Peer> {
    const { simulator } = this
    const peer = await simulator.complete(createPeer(simulator.host(id).boot()))
    const { id: sender } = simulator.host('first').identity
    const heard = this.heard.get(id) ?? []
    this.heard.set(id, heard)
    const subscription = peer.topic('news').subscribe()
    await simulator.complete(subscription.joined)
    void (async () => {
      for await (const item of subscription)
        if (item.type === 'message' && item.sender === sender) heard.push(item.payload[0])
    })()
    if (id === 'first') this.first = peer
    return peer
  }

  async say(number: number): Promise<void> {
    await this.simulator.complete(this.first!.topic('news').publish(Uint8Array.of(number)))
  }
}

describe('clocks', () => {
  it.each([0, -60 * seconds, -2 * hour, 2 * hour])(
    'that stand %d ms elsewhere after a restart, and then jump, cost no message',
    async (skew) => {
      const scene = new Scene({ latency: 20 })
      const { simulator } = scene
      await scene.start('first')
      await scene.start('second')
      for (const number of [1, 2, 3]) await scene.say(number)
      const host = simulator.host('first')
      host.crash()
      host.skew = skew
      await simulator.run({ for: 5 * seconds })
      await scene.start('first')
      await scene.say(4)
      for (const jump of [hour, -2 * hour]) {
        host.skew += jump
        simulator.host('second').skew -= jump
        await scene.say(5)
      }
      await simulator.run({ for: 5 * seconds })
      expect(scene.heard.get('second')).toEqual([1, 2, 3, 4, 5, 5])
    }
  )
})

const attacks: Readonly<Record<string, (mallory: Stranger) => Ending>> = {
  'a flood of garbage': (mallory) => flood(mallory, 'news', { perSecond: 500 }),
  'a flood of genuine envelopes': (mallory) => floodEnvelopes(mallory, 'news', { perSecond: 200, messages: 5 }),
  'a flood by one identity': (mallory) => floodEnvelopes(mallory, 'news', { perSecond: 200, identities: 'one' }),
  'claims that are never served': (mallory) => {
    serveSlowly(mallory, 'never')
    return floodClaims(mallory, 'news', { perSecond: 5, claims: 250 })
  },
  'replays of everything': (mallory) => replay(mallory, 'news', { after: 700, copies: 20 })
}

describe.each([
  ['straight', {}],
  ['through a mesh', { mesh: { degree: 4 } }]
])('strangers, %s', (_name, options) => {
  it.each(Object.entries(attacks))(
    'by %s keep no small message away, and are not amplified',
    async (_attack, begin) => {
      const scene = new Scene(options)
      const { simulator } = scene
      await scene.start('first')
      for (const id of ['second', 'third', 'fourth']) await scene.start(id)
      await simulator.run({ for: 2 * seconds })
      // Heard by the strangers that replay, and at both times.
      simulator.after(3 * seconds, () => scene.first!.topic('news').publish(Uint8Array.of(1)))
      simulator.after(23 * seconds, () => scene.first!.topic('news').publish(Uint8Array.of(2)))
      const { factor } = await measureAmplification(simulator, {
        for: 20 * seconds,
        attack: () => begin(simulator.stranger('mallory'))
      })
      await scene.say(3)
      await simulator.run({ for: 5 * seconds })
      for (const id of ['second', 'third', 'fourth']) {
        expect(new Set(scene.heard.get(id))).toEqual(new Set([1, 2, 3]))
        expect(scene.heard.get(id)).toHaveLength(3)
      }
      expect(factor).toBeLessThanOrEqual(2)
    }
  )

  it('cannot make their peers forget what they have heard', async () => {
    const scene = new Scene(options)
    const { simulator } = scene
    await scene.start('first')
    await scene.start('second')
    const mallory = simulator.stranger('mallory')
    const captured: Uint8Array[] = []
    mallory.listen('news', ({ payload }) => captured.push(payload))
    await simulator.run({ for: 2 * seconds })
    await scene.say(1)
    await simulator.run({ for: seconds })
    await simulator.complete(scene.first!.stop())
    const attack = floodEnvelopes(mallory, 'news', { perSecond: 200 })
    await simulator.run({ for: 25 * seconds })
    attack.end()
    expect(captured.length).toBeGreaterThan(0)
    for (const payload of captured) mallory.publish('news', payload)
    await simulator.run({ for: 5 * seconds })
    expect(scene.heard.get('second')).toEqual([1])
  })
})
