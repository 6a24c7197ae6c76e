import type { IncomingMessage, Subscriber, TransportGap, Verdict } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { Audience } from '../src/index.ts'

interface Recorder extends Subscriber {
  readonly got: number[]
  readonly gaps: TransportGap['reason'][]
}

function recorder(validate?: Subscriber['validate']): Recorder {
  const got: number[] = []
  const gaps: TransportGap['reason'][] = []
  return {
    got,
    gaps,
    message: ({ payload }) => void got.push(payload[0] ?? -1),
    gap: ({ reason }) => void gaps.push(reason),
    ...(validate === undefined ? {} : { validate })
  }
}

const message = (byte: number): IncomingMessage => ({ payload: Uint8Array.of(byte) })

describe('an audience', () => {
  it('reports a gap when all sources were lost and one is back, before its message', () => {
    const audience = new Audience()
    const subscriber = recorder()
    audience.subscribers.add(subscriber)
    audience.joined('a')
    audience.joined('b')
    audience.disconnected('a')
    audience.connected('a')
    expect(subscriber.gaps).toEqual([])
    audience.disconnected('b')
    audience.disconnected('a')
    audience.connected('stranger')
    expect(subscriber.gaps).toEqual([])
    audience.connected('b')
    expect(subscriber.gaps).toEqual(['disconnected'])
    audience.disconnected('b')
    void audience.receive('c', message(1))
    expect(subscriber).toMatchObject({ gaps: ['disconnected', 'disconnected'], got: [1] })
  })

  it('takes the strictest verdict, and counts a validator that throws as ignore', async () => {
    const audience = new Audience()
    const accepts = recorder(() => 'accept')
    audience.subscribers.add(accepts)
    audience.subscribers.add(recorder())
    expect(await audience.receive('a', message(1))).toBe('accept')
    const throws = recorder(() => {
      throw new Error('broken')
    })
    audience.subscribers.add(throws)
    expect(await audience.receive('a', message(2))).toBe('ignore')
    audience.subscribers.add(recorder(async () => await Promise.resolve<Verdict>('reject')))
    expect(await audience.receive('a', message(3))).toBe('reject')
    expect(accepts.got).toEqual([1, 2, 3])
    expect(throws.got).toEqual([])
  })

  it('bounds what waits for a verdict, and one gap stands for all that is dropped meanwhile', async () => {
    const audience = new Audience()
    const answers: ((verdict: Verdict) => void)[] = []
    const subscriber = recorder(() => new Promise<Verdict>((resolve) => void answers.push(resolve)))
    audience.subscribers.add(subscriber)
    const verdicts = Array.from({ length: 1_030 }, (_, i) => audience.receive('a', message(i % 256)))
    expect(answers).toHaveLength(1_024)
    expect(subscriber.gaps).toEqual(['overflow'])
    for (const answer of answers) answer('accept')
    const all = await Promise.all(verdicts.map(async (verdict) => await verdict))
    expect(all.filter((verdict) => verdict === 'accept')).toHaveLength(1_024)
    expect(subscriber.got).toHaveLength(1_024)
  })

  it('survives a subscriber that throws', () => {
    const audience = new Audience()
    const other = recorder()
    audience.subscribers.add({
      message: () => {
        throw new Error('mine')
      },
      gap: () => {}
    })
    audience.subscribers.add(other)
    expect(audience.receive('a', message(7))).toBe('accept')
    expect(other.got).toEqual([7])
  })
})
