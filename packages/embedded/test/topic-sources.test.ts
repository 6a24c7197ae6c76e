import type { SubscriptionState, TransportGap } from '@p2pl/core/backend'
import { expect, it } from 'vitest'
import { TopicSources } from '../src/index.ts'

function sources() {
  const gaps: TransportGap[] = []
  const states: SubscriptionState[] = []
  const clock = { now: 1_000 }
  const subscriber = {
    gap: (gap: TransportGap) => void gaps.push(gap),
    state: (state: SubscriptionState) => void states.push(state)
  }
  return { sources: new TopicSources(subscriber, () => clock.now), gaps, states, clock }
}

it('a gap is the time between the loss of the last connection and the return of one', () => {
  const { sources: topic, gaps, states, clock } = sources()
  topic.joined('a')
  topic.joined('b')
  topic.disconnected('a')
  topic.connected('a')
  expect([gaps, states]).toEqual([[], []])
  topic.disconnected('b')
  topic.disconnected('a')
  expect(states).toEqual(['healing'])
  clock.now += 400
  topic.connected('stranger')
  expect(gaps).toEqual([])
  topic.connected('b')
  expect(gaps).toEqual([{ reason: 'disconnected', lasted: 400 }])
  expect(states).toEqual(['healing', 'live'])
  topic.disconnected('b')
  clock.now += 50
  topic.joined('c')
  expect(gaps[1]).toEqual({ reason: 'disconnected', lasted: 50 })
})

it('a peer that leaves the topic by its own will opens no gap', () => {
  const { sources: topic, gaps, states } = sources()
  topic.joined('a')
  topic.left('a')
  topic.disconnected('a')
  topic.joined('b')
  expect([gaps, states]).toEqual([[], []])
})

it('many lost connections are remembered up to a bound, the latest first', () => {
  const { sources: topic, gaps } = sources()
  for (let i = 0; i < 1_000; i++) topic.joined(`${i}`)
  for (let i = 0; i < 1_000; i++) topic.disconnected(`${i}`)
  topic.connected('0')
  expect(gaps).toHaveLength(0)
  topic.connected('999')
  expect(gaps).toHaveLength(1)
})

it('a way that broke is a gap from then on, unless another peer was heard all the while', () => {
  const { sources: topic, gaps, states, clock } = sources()
  const nobody = (): boolean => false
  topic.joined('a')
  topic.joined('b')
  topic.broken('stranger', clock.now, nobody)
  topic.broken('a', clock.now, (peer) => peer === 'b')
  topic.connected('a')
  expect([gaps, states]).toEqual([[], []])
  topic.broken('a', clock.now - 300, nobody)
  topic.broken('b', clock.now - 100, nobody)
  topic.connected('stranger')
  expect([gaps, states]).toEqual([[], ['healing']])
  topic.connected('a')
  expect(gaps).toEqual([{ reason: 'disconnected', lasted: 300 }])
  expect(states).toEqual(['healing', 'live'])
})
