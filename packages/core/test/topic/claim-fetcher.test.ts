import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { P2plError } from '../../src/errors.ts'
import { ClaimFetcher, type FetchClaim } from '../../src/topic/claim-fetcher.ts'
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
  const fetch: FetchClaim = async ({ sender }, timeout) => {
    made.most = Math.max(made.most, ++active)
    const wait = sender.startsWith('honest') ? 100 : timeout
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, wait))
    active--
    if (sender.startsWith('honest')) return payload
    throw new P2plError({ code: 'TIMEOUT', message: 'nobody has it' })
  }
  const fetcher = new ClaimFetcher(fetch, { clock, random, cryptography: fakeCryptography })
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
    const { clock, ask, most } = world()
    const dead = Array.from({ length: 300 }, () => ask('liar'))
    await settle()
    const honest = ask('honest')
    await clock.advance(200)
    expect(honest.done).toBe(payload)
    expect(most).toBeLessThanOrEqual(8)
    await clock.advance(3_600_000)
    expect(dead.every(({ done }) => done === 'unavailable')).toBe(true)
  })

  it('of a known sender arrive at once beside thousands of identities that have nothing', async () => {
    const { clock, ask } = world()
    const first = ask('honest')
    await clock.advance(150)
    expect(first.done).toBe(payload)
    for (let i = 0; i < 2_000; i++) ask(`liar ${i}`)
    await settle()
    const later = ask('honest')
    await clock.advance(150)
    expect(later.done).toBe(payload)
  })

  it('of an unknown honest sender get their turn beside hundreds of identities', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { clock, ask } = world(seed)
      for (let i = 0; i < 200; i++) ask(`liar ${i}`)
      const honest = ask('honest')
      await clock.advance(200 * 3_000)
      expect(honest.done, `seed ${seed}`).toBe(payload)
    }
  })

  it('are fetched by nobody who said that it takes smaller ones only', async () => {
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
