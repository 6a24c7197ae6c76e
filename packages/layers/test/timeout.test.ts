import { compose, isP2plError } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { retry } from '../src/retry.ts'
import { timeout } from '../src/timeout.ts'
import { block, cid, collect, fake, ManualClock, never, outcome, settle } from './support.ts'

describe('timeout', () => {
  it('ends a call whose backend ignores its signal', async () => {
    const clock = new ManualClock()
    let inner: AbortSignal | undefined
    const { blocks } = timeout({ get: 100, clock })(
      fake({
        blocks: {
          get: (_, options) => {
            inner = options?.signal
            return never()
          }
        }
      })
    )
    const result = outcome(blocks!.get(cid))
    await clock.advance(99)
    expect(result.state).toBe('pending')
    await clock.advance(1)
    expect(result.error).toMatchObject({ code: 'TIMEOUT', retryable: true, operation: 'blocks.get', backend: 'fake' })
    expect(inner?.reason).toBe(result.error)
    expect(clock.pending).toBe(0)
  })

  it('leaves a call alone that is in time, and no timer behind', async () => {
    const clock = new ManualClock()
    const { blocks } = timeout({ get: 100, clock })(fake({ blocks: { get: async () => block.bytes } }))
    expect(await blocks?.get(cid)).toBe(block.bytes)
    expect(clock.pending).toBe(0)
  })

  it('passes the signal of the caller on, and ends with it', async () => {
    const clock = new ManualClock()
    const abort = new AbortController()
    let inner: AbortSignal | undefined
    const { blocks } = timeout({ get: 100, clock })(
      fake({
        blocks: {
          get: (_, options) => {
            inner = options?.signal
            return never()
          }
        }
      })
    )
    const result = outcome(blocks!.get(cid, { signal: abort.signal }))
    await settle()
    abort.abort()
    await settle()
    expect(inner?.aborted).toBe(true)
    expect(isP2plError(result.error, 'ABORTED')).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('does nothing when the signal has fired already', async () => {
    const { blocks } = timeout({ get: 100 })(fake({}))
    await expect(blocks?.get(cid, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('says that a publish that timed out must not be repeated', async () => {
    const clock = new ManualClock()
    const { messages } = timeout({ publish: 10, clock })(fake({ messages: { publish: never } }))
    const result = outcome(messages!.publish('t', block.bytes))
    await clock.advance(10)
    expect(result.error).toMatchObject({ code: 'TIMEOUT', retryable: false })
  })

  it('counts an iteration from item to item, not while its reader is slow', async () => {
    const clock = new ManualClock()
    let resolve: (() => void) | undefined
    let returned = false
    const { blocks } = timeout({ store: 10, clock })(
      fake({
        blocks: {
          pins: async function* () {
            try {
              yield { cid, recursive: true }
              await new Promise<void>((r) => {
                resolve = r
              })
              yield { cid, recursive: false }
              await never()
            } finally {
              returned = true
            }
          }
        }
      })
    )
    const iterator = blocks!.pins()[Symbol.asyncIterator]()
    await iterator.next()
    await clock.advance(1_000)
    const second = outcome(iterator.next())
    await clock.advance(9)
    resolve?.()
    await settle()
    expect(second.state).toBe('ok')
    const third = outcome(iterator.next())
    await clock.advance(10)
    expect(isP2plError(third.error, 'TIMEOUT')).toBe(true)
    expect([clock.pending, returned]).toEqual([0, false])
  })

  it('closes the inner iteration when its reader has enough', async () => {
    let closed = false
    const { blocks } = timeout({ store: 10_000 })(
      fake({
        blocks: {
          gc: async function* () {
            try {
              for (;;) yield cid
            } finally {
              closed = true
            }
          }
        }
      })
    )
    for await (const _ of blocks!.gc()) break
    expect(closed).toBe(true)
  })

  it('inside of retry gives each attempt its own time', async () => {
    const clock = new ManualClock()
    let calls = 0
    const backend = compose(
      fake({ blocks: { get: () => (++calls < 3 ? never() : Promise.resolve(block.bytes)) } }),
      timeout({ get: 100, clock }),
      retry({ baseDelay: 10, jitter: 0, clock })
    )
    const result = outcome(backend.blocks!.get(cid))
    await clock.advance(100 + 10 + 100 + 20)
    expect([result.state, calls, clock.now()]).toEqual(['ok', 3, 230])
  })

  it('leaves operations without a timeout alone', async () => {
    const { blocks } = timeout({ get: 1 })(
      fake({
        blocks: {
          has: async (_, options) => options?.signal === undefined,
          pins: async function* () {
            yield { cid, recursive: true }
          }
        }
      })
    )
    expect(await blocks?.has(cid)).toBe(true)
    expect(await collect(blocks!.pins())).toHaveLength(1)
  })

  it.each([{ get: 0 }, { put: -1 }, { store: NaN }])('refuses %o', (options) => {
    expect(() => timeout(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
