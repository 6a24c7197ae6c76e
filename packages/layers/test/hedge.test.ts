import { describe, expect, it } from 'vitest'
import { createRetryBudget, hedge } from '../src/index.ts'
import { block, cid, failure, fake, ManualClock, outcome } from './support.ts'

interface Attempt {
  readonly signal: AbortSignal | undefined
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** A backend that answers when the test says so. The first `warm` reads take 100 ms. */
async function hedged({ share, warm = 20 }: { share?: number; warm?: number } = {}) {
  const clock = new ManualClock()
  const attempts: Attempt[] = []
  const get = (_: unknown, given?: { signal?: AbortSignal | undefined }): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      attempts.push({ signal: given?.signal, resolve, reject })
    })
  const budget = createRetryBudget({ clock, share, minimum: share === undefined ? 10 : 0 })
  const { blocks } = hedge({ clock, budget })(fake({ blocks: { get } }))
  for (let i = 0; i < warm; i++) {
    const call = blocks!.get(cid)
    await clock.advance(100)
    attempts.pop()!.resolve(block.bytes)
    await call
  }
  return { clock, attempts, get: blocks!.get }
}

describe('hedge', () => {
  it('asks again when a read takes longer than most, and takes the first answer', async () => {
    const { clock, attempts, get } = await hedged()
    const result = outcome(get(cid))
    await clock.advance(99)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    expect(attempts).toHaveLength(2)
    await clock.advance(10_000)
    expect(attempts).toHaveLength(2)
    attempts[1]!.resolve(block.bytes)
    await clock.advance(0)
    expect(result.value).toBe(block.bytes)
    expect(attempts[0]!.signal!.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('makes one attempt of a read that is quick, and ends nothing that the caller has', async () => {
    const { clock, attempts, get } = await hedged()
    const result = outcome(get(cid))
    attempts[0]!.resolve(block.bytes)
    await clock.advance(1_000)
    expect([result.state, attempts.length, clock.pending]).toEqual(['ok', 1, 0])
  })

  it('knows nothing of the second attempt before it has samples', async () => {
    const { clock, attempts, get } = await hedged({ warm: 19 })
    void get(cid).catch(() => undefined)
    await clock.advance(60_000)
    expect(attempts).toHaveLength(1)
  })

  it('leaves a failure to retry, and waits for the other attempt when there are two', async () => {
    const { clock, attempts, get } = await hedged()
    const early = outcome(get(cid))
    attempts[0]!.reject(failure('UNREACHABLE'))
    await clock.advance(1_000)
    expect([early.state, attempts.length]).toEqual(['error', 1])

    const late = outcome(get(cid))
    await clock.advance(100)
    attempts[1]!.reject(failure('NOT_FOUND'))
    await clock.advance(0)
    expect(late.state).toBe('pending')
    attempts[2]!.reject(failure('PROTOCOL'))
    await clock.advance(0)
    expect(late.error).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends both attempts when the caller gives up', async () => {
    const { clock, attempts, get } = await hedged()
    const abort = new AbortController()
    void get(cid, { signal: abort.signal }).catch(() => undefined)
    await clock.advance(100)
    abort.abort()
    expect(attempts.map(({ signal }) => signal!.aborted)).toEqual([true, true])
    await expect(get(cid, { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(attempts).toHaveLength(2)
  })

  it('keeps to its budget when everything is slow', async () => {
    const { clock, attempts, get } = await hedged({ share: 0.1 })
    for (let i = 0; i < 80; i++) void get(cid).catch(() => undefined)
    await clock.advance(1_000)
    // A tenth of 80 calls, and of the 20 before them, which count less by now.
    expect(attempts.length).toBe(80 + 9)
  })

  it('repeats no read of the own store', async () => {
    const { clock, attempts, get } = await hedged()
    void get(cid, { local: true }).catch(() => undefined)
    await clock.advance(1_000)
    expect(attempts).toHaveLength(1)
  })

  it('takes no operation that changes something', () => {
    expect(() => hedge({ operations: ['messages.publish'] })).toThrow('"messages.publish" does not fit this layer')
  })
})
