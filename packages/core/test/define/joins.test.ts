import { describe, expect, it } from 'vitest'
import { type DefinedBackend, type Subscriber } from '../../src/backend.ts'
import { started } from './support.ts'

describe('subscriptions of one topic', () => {
  async function joining(): Promise<{
    backend: DefinedBackend<unknown>
    joins: { subscriber: Required<Subscriber>; closed: boolean }[]
  }> {
    const joins: { subscriber: Required<Subscriber>; closed: boolean }[] = []
    const backend = await started({
      messages: {
        publish: async () => ({ recipients: 0 }),
        peers: async () => [],
        join: async (_topic, subscriber) => {
          const join = { subscriber, closed: false }
          joins.push(join)
          return { close: async () => void (join.closed = true) }
        }
      }
    })
    return { backend, joins }
  }
  const recorder = (verdict: 'accept' | 'ignore' | 'reject' = 'accept') => {
    const heard: string[] = []
    const subscriber: Subscriber = {
      message: ({ payload }) => {
        heard.push(`message ${payload[0]}`)
        return verdict
      },
      gap: ({ reason }) => void heard.push(reason),
      state: (state) => void heard.push(state)
    }
    return { heard, subscriber }
  }
  const incoming = { payload: Uint8Array.of(7) }

  it('share one join, each gets everything once, and the last one leaves', async () => {
    const { backend, joins } = await joining()
    const [a, b] = [recorder(), recorder('ignore')]
    const [first, second] = await Promise.all([
      backend.messages!.subscribe('t', a.subscriber),
      backend.messages!.subscribe('t', b.subscriber)
    ])
    const again = await backend.messages!.subscribe('t', a.subscriber)
    expect(joins).toHaveLength(1)
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    joins[0]?.subscriber.state('healing')
    expect(b.heard).toEqual(['message 7', 'overflow', 'healing'])
    expect(a.heard).toHaveLength(6)
    await second?.close()
    expect(await joins[0]?.subscriber.message(incoming)).toBe('accept')
    expect(b.heard).toHaveLength(3)
    await first?.close()
    await first?.close()
    expect(joins[0]?.closed).toBe(false)
    await again.close()
    expect(joins[0]?.closed).toBe(true)
    await joins[0]?.subscriber.message(incoming)
    expect(a.heard.filter((item) => item === 'message 7')).toHaveLength(4)
    await backend.messages!.subscribe('t', a.subscriber)
    expect(joins).toHaveLength(2)
    await backend.stop()
  })

  it('that throw or reject count as ignore, and reject beats ignore', async () => {
    const { backend, joins } = await joining()
    const odd: Subscriber = {
      message: () => {
        throw new Error('odd')
      },
      gap: () => {
        throw new Error('odd')
      }
    }
    await backend.messages!.subscribe('t', odd)
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    await backend.messages!.subscribe('t', { message: () => Promise.reject(new Error('odd')), gap: () => undefined })
    expect(await joins[0]?.subscriber.message(incoming)).toBe('ignore')
    await backend.messages!.subscribe('t', { message: () => Promise.resolve('reject'), gap: () => undefined })
    expect(await joins[0]?.subscriber.message(incoming)).toBe('reject')
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    await backend.stop()
  })

  it('get nothing after the backend was stopped', async () => {
    const { backend, joins } = await joining()
    const { heard, subscriber } = recorder()
    await backend.messages!.subscribe('t', subscriber)
    await backend.stop()
    await joins[0]?.subscriber.message(incoming)
    joins[0]?.subscriber.gap({ reason: 'overflow' })
    expect(heard).toEqual([])
  })

  it('an aborted one never delivers, though the engine joins later', async () => {
    const gate = Promise.withResolvers<void>()
    let inside: Required<Subscriber> | undefined
    let closed = false
    const backend = await started({
      messages: {
        publish: async () => ({ recipients: 0 }),
        peers: async () => [],
        join: async (_topic, subscriber) => {
          inside = subscriber
          await gate.promise
          return { close: async () => void (closed = true) }
        }
      }
    })
    const { heard, subscriber } = recorder()
    const controller = new AbortController()
    const subscribing = expect(
      backend.messages!.subscribe('t', subscriber, { signal: controller.signal })
    ).rejects.toMatchObject({ code: 'ABORTED' })
    controller.abort()
    await subscribing
    gate.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    await inside?.message(incoming)
    expect(heard).toEqual([])
    expect(closed).toBe(true)
    await backend.stop()
  })
})
