import { createPeer } from '@p2pl/core'
import { describe, expect, it } from 'vitest'
import { createSimulator, floodClaims, serveSlowly, type Stranger } from '../src/index.ts'

const size = 400_000

/** Milliseconds until a large message of an honest peer that nobody knew is there, beside a stranger. */
async function arrival(attack: (mallory: Stranger) => void): Promise<number> {
  const simulator = createSimulator({ seed: 3, latency: 20 })
  const ann = await simulator.complete(createPeer(simulator.host('ann').boot()))
  const ben = await simulator.complete(createPeer(simulator.host('ben').boot()))
  const subscription = ben.topic('news').subscribe()
  await simulator.complete(subscription.joined)
  const mallory = simulator.stranger('mallory')
  attack(mallory)
  await simulator.run({ for: 20_000 })
  const began = simulator.now
  const came: number[] = []
  void (async () => {
    for await (const item of subscription) {
      if (item.type === 'message' && item.sender === ann.id) came.push(simulator.now - began)
    }
  })()
  await simulator.complete(ann.topic('news').publish(new Uint8Array(size)))
  for (let second = 0; second < 60 && came.length === 0; second++) await simulator.run({ for: 1_000 })
  return came[0] ?? Infinity
}

const silent = (perSecond: number) => (mallory: Stranger) => {
  serveSlowly(mallory, 'never')
  floodClaims(mallory, 'news', { perSecond })
}

describe('a large message of an honest peer that nobody knew', () => {
  it.each([
    ['nobody else', () => undefined],
    ['one new identity a second with 250 claims, never served', silent(1)],
    ['ten', silent(10)],
    ['fifty', silent(50)],
    [
      'ten, answered with "missing"',
      (mallory: Stranger) => {
        mallory.serve(() => 'missing')
        floodClaims(mallory, 'news', { perSecond: 10 })
      }
    ]
  ] as [string, (mallory: Stranger) => void][])('arrives within seconds beside %s', async (_name, attack) => {
    const ms = await arrival(attack)
    expect(ms).toBeLessThan(5_000)
  })
})
