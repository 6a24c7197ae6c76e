import { sleep } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { adaptiveTimeout } from '../src/index.ts'
import { block, cid, failure, fake, ManualClock, never, outcome } from './support.ts'

/** A backend whose calls take as long as the test says, are refused at once, or never end. */
function timed(options: Parameters<typeof adaptiveTimeout>[0] = {}) {
  const clock = new ManualClock()
  let ms: number | 'refused' | undefined = 100
  const answer = async <T>(value: T): Promise<T> => {
    if (ms === undefined) return await never<T>()
    if (ms === 'refused') throw failure('UNREACHABLE')
    await sleep(ms, { clock })
    return value
  }
  const { blocks } = adaptiveTimeout({ minSamples: 5, floor: 10, ceiling: 5_000, clock, ...options })(
    fake({
      blocks: {
        get: async () => await answer(block.bytes),
        has: async () => await answer(true),
        putMany: async () => await answer(undefined)
      }
    })
  )
  /** How long a call takes to end, and how. */
  const endOf = async (call: () => Promise<unknown>): Promise<[number, unknown]> => {
    const begin = clock.now()
    let end = NaN
    const result = outcome(
      call().finally(() => {
        end = clock.now()
      })
    )
    await clock.advance(10_000)
    return [end - begin, result.state === 'ok' ? 'ok' : (result.error as { code: string }).code]
  }
  return {
    clock,
    blocks: blocks!,
    endOf,
    takes: (next: typeof ms) => {
      ms = next
    }
  }
}

describe('adaptiveTimeout', () => {
  it('gives a call the ceiling until it has enough samples, then a multiple of what calls took', async () => {
    const { blocks, endOf, takes } = timed()
    const has = (): Promise<boolean> => blocks.has(cid)
    takes(undefined)
    expect(await endOf(has)).toEqual([5_000, 'TIMEOUT'])
    takes(100)
    for (let i = 0; i < 128; i++) expect(await endOf(has)).toEqual([100, 'ok'])
    takes(undefined)
    expect(await endOf(has)).toEqual([300, 'TIMEOUT'])
  })

  it('grows with a network that becomes slow, and shrinks with one that becomes quick', async () => {
    const { blocks, endOf, takes } = timed()
    const has = (): Promise<boolean> => blocks.has(cid)
    for (let i = 0; i < 10; i++) await endOf(has)
    takes(2_000)
    const ends: string[] = []
    for (let i = 0; i < 10; i++) ends.push((await endOf(has))[1] as string)
    // 300 and 900 ms were too short.
    expect(ends).toEqual(['TIMEOUT', 'TIMEOUT', ...Array.from({ length: 8 }, () => 'ok')])
    takes(20)
    for (let i = 0; i < 128; i++) await endOf(has)
    takes(undefined)
    expect(await endOf(has)).toEqual([60, 'TIMEOUT'])
  })

  it('leaves their time to the few reads that others answer among many from the own store', async () => {
    const { blocks, endOf, takes } = timed()
    const has = (): Promise<boolean> => blocks.has(cid)
    const ends: unknown[] = []
    for (let i = 0; i < 128; i++) {
      takes(i % 32 === 0 ? 1_000 : 10)
      ends.push((await endOf(has))[1])
    }
    expect(ends.filter((end) => end !== 'ok')).toEqual([])
  })

  it('stays between floor and ceiling', async () => {
    for (const [usual, limit] of [
      [20, 500],
      [200, 600],
      [600, 700]
    ]) {
      const { blocks, endOf, takes } = timed({ floor: 500, ceiling: 700 })
      takes(usual)
      for (let i = 0; i < 5; i++) await endOf(() => blocks.has(cid))
      takes(undefined)
      expect(await endOf(() => blocks.has(cid))).toEqual([limit, 'TIMEOUT'])
    }
  })

  it('learns apart: operations, backends, sizes of what is sent, leaves and nodes of what is asked for', async () => {
    const { blocks, endOf, takes } = timed()
    const node = CID.createV1(0x70, cid.multihash)
    const large = { cid, bytes: new Uint8Array(1024 * 1024) }
    const calls: Record<string, () => Promise<unknown>> = {
      leaf: () => blocks.get(cid),
      node: () => blocks.get(node),
      local: () => blocks.get(cid, { local: true }),
      small: () => blocks.putMany([block]),
      large: () => blocks.putMany([large])
    }
    let usual = 20
    for (const call of Object.values(calls)) {
      takes((usual += 20))
      for (let i = 0; i < 5; i++) await endOf(call)
    }
    takes(undefined)
    const limits: Record<string, number> = {}
    for (const [name, call] of Object.entries(calls)) [limits[name]] = (await endOf(call)) as [number, string]
    expect(limits).toEqual({ leaf: 120, node: 180, local: 240, small: 300, large: 360 })
  })

  it('does not learn from quick failures or from callers that gave up', async () => {
    const { blocks, endOf, takes, clock } = timed()
    takes('refused')
    for (let i = 0; i < 20; i++) expect((await endOf(() => blocks.has(cid)))[1]).toBe('UNREACHABLE')
    takes(undefined)
    for (let i = 0; i < 20; i++) {
      const abort = new AbortController()
      const call = outcome(blocks.has(cid, { signal: abort.signal }))
      abort.abort()
      await clock.advance(0)
      expect(call.error).toMatchObject({ code: 'ABORTED' })
    }
    expect(await endOf(() => blocks.has(cid))).toEqual([5_000, 'TIMEOUT'])
  })

  it('makes the timeout of a publish final, since the message may have gone out', async () => {
    const clock = new ManualClock()
    const { messages } = adaptiveTimeout({ ceiling: 1_000, clock })(fake({ messages: { publish: () => never() } }))
    const result = outcome(messages!.publish('t', new Uint8Array(1)))
    await clock.advance(1_000)
    expect(result.error).toMatchObject({ code: 'TIMEOUT', retryable: false, operation: 'messages.publish' })
    expect(clock.pending).toBe(0)
  })
})
