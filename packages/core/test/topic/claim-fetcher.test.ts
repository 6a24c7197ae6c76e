import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { P2plError } from '../../src/errors.ts'
import { ClaimFetcher, type ClaimSource } from '../../src/topic/claim-fetcher.ts'
import { createBus } from '../support/bus.ts'
import { fakeCryptography } from '../support/fake-crypto.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { testPeer, take } from './support.ts'

const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const payload = new Uint8Array(9)

interface World {
  readonly fetcher: ClaimFetcher
  readonly clock: VirtualClock
  /** Asks for a payload; the answer is in `done` when it is there. */
  readonly ask: (sender: string) => { done?: Uint8Array | 'unavailable' }
  most: number
}

/** Honest senders have what they promise, after 100 ms; all others never answer. */
function world(seed = 1): World {
  const clock = new VirtualClock()
  let state = seed
  let active = 0
  const random = (): number => {
    state = (state * 48_271) % 0x7fffffff
    return state / 0x7fffffff
  }
  const source: ClaimSource = {
    probe: async ({ sender }, signal) => {
      made.most = Math.max(made.most, ++active)
      const honest = sender.startsWith('honest')
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve())
        if (honest) void clock.setTimeout(resolve, 100)
      })
      active--
      if (honest) return undefined
      throw new P2plError({ code: 'TIMEOUT', message: 'nobody has it' })
    },
    fetch: async ({ sender }) => await (sender.includes('slow') ? new Promise<never>(() => undefined) : payload)
  }
  const fetcher = new ClaimFetcher(source, { clock, random, cryptography: fakeCryptography })
  const made: World = {
    fetcher,
    clock,
    most: 0,
    ask: (sender) => {
      const answer: { done?: Uint8Array | 'unavailable' } = {}
      const { signal } = new AbortController()
      const done = (bytes: Uint8Array | undefined): void => void (answer.done = bytes ?? 'unavailable')
      fetcher.request({ sender, cid, size: 9, providers: [], signal, done })
      return answer
    }
  }
  return made
}

describe('large payloads', () => {
  it('of an honest sender arrive beside hundreds of one sender that nobody has', async () => {
    const made = world()
    const { clock, ask } = made
    const dead = Array.from({ length: 300 }, () => ask('liar'))
    await settle()
    const honest = ask('honest')
    await clock.advance(200)
    expect(honest.done).toBe(payload)
    expect(made.most).toBeLessThanOrEqual(64)
    await clock.advance(3_600_000)
    expect(dead.every(({ done }) => done === 'unavailable')).toBe(true)
  })

  it('of an unknown honest sender arrive within seconds beside a stream of identities that have nothing', async () => {
    for (const perSecond of [10, 50]) {
      const { clock, ask } = world()
      for (let second = 0; second < 5; second++) {
        for (let i = 0; i < perSecond; i++) for (let claim = 0; claim < 250; claim++) ask(`liar ${second}/${i}`)
        await clock.advance(1_000)
      }
      const honest = ask('honest')
      for (let second = 0; second < 20 && honest.done === undefined; second++) {
        for (let i = 0; i < perSecond; i++) for (let claim = 0; claim < 250; claim++) ask(`liar later ${second}/${i}`)
        await clock.advance(1_000)
      }
      expect(honest.done, `${perSecond} identities a second`).toBe(payload)
    }
  })

  it('arrive within seconds beside payloads that come drop by drop, or never to their end', async () => {
    const { clock, ask } = world()
    const slow = Array.from({ length: 24 }, (_, i) => ask(`honest but slow ${i % 6}`))
    await clock.advance(1_000)
    const honest = ask('honest')
    await clock.advance(20_000)
    expect(honest.done).toBe(payload)
    expect(slow.some(({ done }) => done === payload)).toBe(false)
  })

  it('that come slowly keep their place while nobody else waits', async () => {
    const { clock, ask } = world()
    const slow = ask('honest but slow')
    await clock.advance(600_000)
    expect(slow.done).toBe(undefined)
  })

  it('are not fetched for a subscription that takes smaller ones only', async () => {
    const bus = createBus()
    const large = new Uint8Array(300 * 1024)
    let fetched = 0
    const claims = {
      put: async () => cid,
      get: async () => {
        fetched++
        return large
      }
    }
    const [a, b] = [await testPeer(bus, 'a', { claims }), await testPeer(bus, 'b', { claims })]
    const modest = b.signed.subscribe({ maxPayloadBytes: 1_000 })
    await modest.joined
    await a.signed.publish(large)
    expect(await take(modest, 1)).toMatchObject([{ type: 'gap', reason: 'oversized', count: 1, first: 0, last: 0 }])
    expect(fetched).toBe(0)
    const greedy = b.signed.subscribe()
    await greedy.joined
    await a.signed.publish(large)
    expect(await take(greedy, 1)).toMatchObject([{ type: 'message', sequence: 1 }])
    expect(await take(modest, 1)).toMatchObject([{ type: 'gap', reason: 'oversized' }])
    expect(fetched).toBe(1)
  })
})
