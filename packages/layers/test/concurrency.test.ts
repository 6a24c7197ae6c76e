import { describe, expect, it } from 'vitest'
import { concurrency } from '../src/index.ts'
import { cid, collect, fake, outcome, settle } from './support.ts'

/** A backend whose calls end when the test says so, in the order in which they began. */
function held(options: Parameters<typeof concurrency>[0]) {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const hold = (name: string) => async (): Promise<never> => {
    begun.push(name)
    await new Promise<void>((resolve) => ends.push(resolve))
    return true as never
  }
  const backend = concurrency(options)(
    fake({
      blocks: {
        get: hold('get'),
        has: hold('has'),
        pins: async function* () {
          yield { cid, recursive: true }
        }
      },
      messages: { publish: async (topic) => await hold(topic)() }
    })
  )
  const next = async (): Promise<void> => {
    ends.shift()?.()
    await settle()
  }
  return { begun, next, blocks: backend.blocks!, messages: backend.messages!, ends }
}

const bytes = new Uint8Array(1)

describe('concurrency', () => {
  it('lets no more calls in than its limit', async () => {
    const { begun, next, blocks } = held({ limit: 3 })
    const calls = Array.from({ length: 10 }, () => outcome(blocks.get(cid)))
    await settle()
    for (let ended = 0; ended < 10; ended++) {
      expect(begun.length).toBe(Math.min(10, 3 + ended))
      await next()
    }
    expect(calls.every(({ state }) => state === 'ok')).toBe(true)
  })

  it('is fair: a long line of one operation or topic delays others by one turn', async () => {
    const { begun, next, blocks, messages } = held({ limit: 1 })
    for (let i = 0; i < 100; i++) void blocks.get(cid)
    void blocks.has(cid)
    void messages.publish('news', bytes)
    for (let i = 0; i < 3; i++) void messages.publish('flood', bytes)
    await settle()
    for (let i = 0; i < 7; i++) await next()
    expect(begun).toEqual(['get', 'get', 'has', 'news', 'flood', 'get', 'flood', 'get'])
  })

  it('refuses a call when its queue is full, and says what to do', async () => {
    const { blocks } = held({ limit: 1, queue: 2 })
    const calls = Array.from({ length: 4 }, () => outcome(blocks.get(cid)))
    await settle()
    expect(calls.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending', 'error'])
    expect(calls[3]!.error).toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      operation: 'blocks.get',
      message: expect.stringContaining('raise limit or queue') as string
    })
  })

  it('gives the place of a caller that gave up to the next one', async () => {
    const { begun, next, blocks } = held({ limit: 1, queue: 1 })
    const abort = new AbortController()
    void blocks.get(cid)
    const gone = outcome(blocks.get(cid, { signal: abort.signal }))
    await settle()
    abort.abort()
    await settle()
    expect(gone.error).toMatchObject({ code: 'ABORTED', operation: 'blocks.get' })
    const last = outcome(blocks.has(cid))
    await next()
    await next()
    expect([begun, last.state]).toEqual([['get', 'has'], 'ok'])
  })

  it('holds no slot for a reader that is slow, or that calls while it reads', async () => {
    const { blocks, next } = held({ limit: 1 })
    for await (const pin of blocks.pins()) {
      const call = outcome(blocks.has(pin.cid))
      expect(await collect(blocks.pins())).toHaveLength(1)
      await next()
      expect(call.state).toBe('ok')
    }
    expect(() => concurrency({ operations: ['blocks.pins'] })).toThrow('does not fit this layer')
  })

  it('frees the slot of a call that fails', async () => {
    const { blocks } = concurrency({ limit: 1 })(
      fake({
        blocks: {
          has: async () => {
            throw new Error('broken')
          }
        }
      })
    )
    for (let i = 0; i < 5; i++) await expect(blocks!.has(cid)).rejects.toThrow('broken')
  })
})
