import { createPeer } from '@p2pl/core'
import type { Peer, TopicItem } from '@p2pl/core'
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
import type { Simulator, SimulatorOptions, Stranger } from '../src/index.ts'
import { hearing, world } from './harness.ts'

interface Scene {
  readonly simulator: Simulator
  readonly mallory: Stranger
  readonly ann: Peer
  readonly ben: Peer
  /** What ben got. */
  readonly items: readonly TopicItem[]
  /** What ben got from ann, as text. */
  readonly heard: () => string[]
  readonly say: (text: string) => Promise<void>
}

async function scene(options: Partial<SimulatorOptions> = {}): Promise<Scene> {
  const simulator = createSimulator({ seed: 1, latency: 20, ...options })
  const [ann, ben] = [
    await simulator.complete(createPeer(simulator.host('ann').boot())),
    await simulator.complete(createPeer(simulator.host('ben').boot()))
  ]
  const items: TopicItem[] = []
  const subscription = ben.topic('news').subscribe()
  await simulator.complete(subscription.joined)
  void (async () => {
    for await (const item of subscription) items.push(item)
  })()
  return {
    simulator,
    mallory: simulator.stranger('mallory'),
    ann,
    ben,
    items,
    heard: () =>
      items.flatMap((item) =>
        item.type === 'message' && item.sender === ann.id ? [new TextDecoder().decode(item.payload)] : []
      ),
    say: async (text) => {
      await simulator.complete(ann.topic('news').publish(new TextEncoder().encode(text)))
    }
  }
}

describe('attacks on a topic of core', () => {
  it('flood it with garbage', async () => {
    const { simulator, mallory, ben, heard, say } = await scene()
    const attack = flood(mallory, 'news', { perSecond: 100 })
    await simulator.run({ for: 2000 })
    await say('hello')
    attack.end()
    await simulator.run({ for: 1000 })
    const { dropped } = ben.topic('news').stats()
    expect(dropped.garbage).toBeGreaterThanOrEqual(200)
    expect(dropped.garbage).toBeLessThan(210)
    expect(heard()).toEqual(['hello'])
  })

  it('flood it with genuine envelopes of new identities', async () => {
    const { simulator, mallory, items } = await scene()
    floodEnvelopes(mallory, 'news', { perSecond: 50, messages: 3, bytes: 40 }).end()
    const attack = floodEnvelopes(mallory, 'news', { perSecond: 50, messages: 3, bytes: 40 })
    await simulator.run({ for: 1000 })
    attack.end()
    await simulator.run({ for: 1000 })
    const messages = items.filter((item) => item.type === 'message')
    expect(messages).toHaveLength(150)
    expect(new Set(messages.map(({ sender }) => sender)).size).toBe(50)
    expect(messages.every(({ payload }) => payload.byteLength === 40)).toBe(true)
  })

  it('flood it with genuine envelopes of one identity, without a gap', async () => {
    const { simulator, mallory, items } = await scene()
    floodEnvelopes(mallory, 'news', { perSecond: 20, messages: 5, identities: 'one' })
    await simulator.run({ for: 1100 })
    const numbers = items.map((item) => (item.type === 'message' ? item.sequence : item.type))
    expect(numbers.length).toBeGreaterThanOrEqual(100)
    expect(numbers).toEqual(numbers.map((_, i) => i))
  })

  it('flood it with claims that its peers then try to fetch', async () => {
    const { simulator, mallory, heard, say } = await scene()
    serveSlowly(mallory, 'never')
    const attack = floodClaims(mallory, 'news', { perSecond: 10, claims: 250 })
    await simulator.run({ for: 1000 })
    attack.end()
    await say('small')
    await simulator.run({ for: 1000 })
    expect(simulator.host('ben').traffic.requests).toBeGreaterThan(0)
    expect(simulator.host('ann').traffic.requests).toBe(0)
    expect(heard()).toEqual(['small'])
  })

  it('replay what was said', async () => {
    const { simulator, mallory, ben, heard, say } = await scene()
    const attack = replay(mallory, 'news', { after: 300, copies: 7 })
    await say('once')
    await simulator.run({ for: 1000 })
    attack.end()
    await say('unheard by the stranger')
    await simulator.run({ for: 1000 })
    expect(heard()).toEqual(['once', 'unheard by the stranger'])
    expect(ben.topic('news').stats().dropped.duplicate).toBe(7)
  })
})

describe('amplification', () => {
  /** Answers each message on `t` with three times as many bytes, and talks by itself. */
  async function chatter(options: Partial<SimulatorOptions>): Promise<{ simulator: Simulator; mallory: Stranger }> {
    const simulator = createSimulator({ seed: 1, latency: 20, ...options })
    for (const id of ['a', 'b']) {
      const { backend, environment } = simulator.host(id).boot()
      const { clock } = environment
      await backend.start()
      await backend.messages!.subscribe(
        't',
        hearing(({ payload, from }) => {
          if (from === 'mallory' && id === 'a')
            void backend.messages!.publish('t', new Uint8Array(payload.byteLength * 3))
        })
      )
      const talk = (): void => {
        void backend.messages!.publish('t', new Uint8Array(1000))
        clock.setTimeout(talk, 100)
      }
      talk()
    }
    return { simulator, mallory: simulator.stranger('mallory') }
  }

  it('is what others send because of strangers, for each byte of theirs', async () => {
    const { simulator, mallory } = await chatter({})
    const measured = await measureAmplification(simulator, {
      for: 10_000,
      attack: () => flood(mallory, 't', { perSecond: 10, payload: () => new Uint8Array(100) })
    })
    // 100 bytes to each of two peers; one of them answers the other with 300.
    expect(measured).toEqual({ strangerBytes: 50 * 2 * 100, honestBytes: 50 * 300, factor: 1.5 })
  })

  it('does not count what a mesh passes on', async () => {
    const { simulator } = await world(10, { mesh: { degree: 4 } })
    const mallory = simulator.stranger('mallory')
    const measured = await measureAmplification(simulator, {
      for: 2000,
      attack: () => flood(mallory, 't', { perSecond: 10 })
    })
    expect(measured).toMatchObject({ honestBytes: 0, factor: 0 })
    expect(simulator.traffic().relayedBytes).toBeGreaterThan(measured.strangerBytes)
  })

  it('is none where strangers send nothing, and without bound where others answer nothing with something', async () => {
    const { simulator } = await chatter({})
    const idle = await measureAmplification(simulator, { for: 1000, attack: () => ({ end: () => undefined }) })
    expect(idle).toEqual({ strangerBytes: 0, honestBytes: 0, factor: 0 })
    const answered = await measureAmplification(simulator, {
      for: 1000,
      attack: () => {
        simulator.host('a').inject('t', new Uint8Array(10))
        return { end: () => undefined }
      }
    })
    expect(answered).toEqual({ strangerBytes: 0, honestBytes: 10, factor: Infinity })
  })
})
