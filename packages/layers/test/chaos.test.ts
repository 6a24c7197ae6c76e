import type { Subscriber } from '@p2pl/core/backend'
import { seededRandom, withSeed } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { chaos } from '../src/chaos.ts'
import { cid, collect, fake, ManualClock, outcome } from './support.ts'

describe('chaos', () => {
  it('fails a share of the calls, the same ones for the same seed', async () => {
    await withSeed(1, async (seed) => {
      const run = async (): Promise<boolean[]> => {
        const { blocks } = chaos({ random: seededRandom(seed), errors: 0.3 })(
          fake({ blocks: { has: async () => true } })
        )
        return await Promise.all(
          Array.from({ length: 1_000 }, async () => (await blocks?.has(cid).catch(() => false))!)
        )
      }
      const first = await run()
      expect(await run()).toEqual(first)
      const failed = first.filter((ok) => !ok).length
      expect(failed).toBeGreaterThan(220)
      expect(failed).toBeLessThan(380)
    })
  })

  it('says that the errors are its own and may be tried again', async () => {
    const { blocks } = chaos({ random: () => 0, errors: 1 })(fake({}))
    await expect(blocks?.has(cid)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      operation: 'blocks.has'
    })
    await expect(collect(blocks!.pins())).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  it('turns one bit of a copy', async () => {
    const bytes = new Uint8Array(64)
    const { blocks } = chaos({ random: () => 0.5, corruption: 1 })(fake({ blocks: { get: async () => bytes } }))
    const wrong = await blocks!.get(cid)
    expect(wrong.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)).toBe(1)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('loses messages silently and declares that it does', async () => {
    let deliver: ((n: number) => void) | undefined
    const inner = fake({
      messages: {
        subscribe: async (_: string, subscriber: Subscriber) => {
          deliver = (n) => void subscriber.message({ payload: Uint8Array.of(n) })
          return { close: async () => undefined }
        }
      }
    })
    const outer = chaos({ random: seededRandom(7), messageLoss: 0.5 })(inner)
    expect(outer.capabilities.messages?.delivery).toBe('at-most-once')
    expect(inner.capabilities.messages?.delivery).toBe('reliable')
    let got = 0
    let gaps = 0
    await outer.messages?.subscribe('t', {
      message: () => {
        got++
        return 'accept'
      },
      gap: () => void gaps++
    })
    for (let n = 0; n < 200; n++) deliver?.(n)
    expect(got).toBeGreaterThan(60)
    expect(got).toBeLessThan(140)
    expect(gaps).toBe(0)
  })

  it('hangs until the signal fires, and never without one', async () => {
    const abort = new AbortController()
    const { blocks } = chaos({ random: () => 0, hangs: 1, clock: new ManualClock() })(fake({}))
    const result = outcome(blocks!.has(cid, { signal: abort.signal }))
    abort.abort()
    await expect(blocks?.has(cid)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(result.error).toMatchObject({ code: 'ABORTED' })
  })

  it('delays within its limit, and leaves start alone', async () => {
    const clock = new ManualClock()
    const backend = chaos({ random: () => 0.5, delay: 100, clock })(fake({ blocks: { has: async () => true } }))
    await backend.start()
    const result = outcome(backend.blocks!.has(cid))
    await clock.advance(49)
    expect(result.state).toBe('pending')
    await clock.advance(1)
    expect(result.value).toBe(true)
  })

  it('refuses a probability over 1', () => {
    expect(() => chaos({ random: Math.random, errors: 2 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    )
  })
})
