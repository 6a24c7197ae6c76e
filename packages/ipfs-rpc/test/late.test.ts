import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Health } from '@p2pl/kubo'
import type { Answer } from '@p2pl/kubo/rpc'
import { Overlap } from '../src/messages/overlap.ts'
import { TopicStream } from '../src/messages/topic-stream.ts'
import type { RpcClient } from '../src/rpc/client.ts'
import { Inbox } from './support/inbox.ts'

// After a process was blocked, its timers come first, and the data that arrived meanwhile is read in the same turn.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const nextTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

/** A topic's stream on a daemon that gives it these lines. `listen` takes the listener for the daemon's health. */
function streamOf(
  subscriber: Inbox,
  lines: () => AsyncGenerator<string[]>,
  listen: (listener: Parameters<Health['on']>[0]) => void = () => undefined
): TopicStream {
  const answer = { lines, fail: () => undefined } as unknown as Answer
  return new TopicStream({
    rpc: { request: async () => answer } as unknown as RpcClient,
    health: { on: (listener: Parameters<Health['on']>[0]) => (listen(listener), () => undefined) } as unknown as Health,
    topic: 't',
    subscriber,
    silence: 3_600_000,
    life: new AbortController().signal,
    warn: () => undefined
  })
}

describe('what came while the process stood still is no loss', () => {
  it('a message that the old stream of two has brought, too', async () => {
    const told: string[] = []
    const stream = (): Answer => ({ fail: () => undefined }) as unknown as Answer
    const [old, fresh] = [stream(), stream()]
    const overlap = new Overlap({ deliver: () => void told.push('message'), lost: () => void told.push('lost') })
    overlap.begin(old)
    overlap.push(fresh, { payload: new Uint8Array(1) }, 'same')
    vi.advanceTimersByTime(1_001)
    overlap.push(old, { payload: new Uint8Array(1) }, 'same')
    await nextTurn()
    expect(told).toEqual(['message'])

    overlap.begin(old)
    overlap.push(fresh, { payload: new Uint8Array(1) }, 'another')
    vi.advanceTimersByTime(1_001)
    await nextTurn()
    expect(told).toEqual(['message', 'lost', 'message'])
  })

  it('the echo of an own message', async () => {
    const inbox = new Inbox()
    const lines = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const stream = streamOf(inbox, async function* () {
      for (const line of lines) yield [await line.promise]
    })
    await stream.open()
    stream.expectEcho()
    vi.advanceTimersByTime(5_001)
    lines[0]?.resolve('{"from":"x","data":"uaGVsbG8","seqno":"u1"}')
    await nextTurn()
    expect(inbox.items).toEqual(['hello'])
    stream.expectEcho()
    vi.advanceTimersByTime(5_001)
    await nextTurn()
    expect(inbox.gaps).toHaveLength(1)
    stream.close()
  })
})

it('a topic that is joined while the daemon is lost is healing once the daemon is back, until its new stream is open', async () => {
  const inbox = new Inbox()
  let tell: Parameters<Health['on']>[0] = () => undefined
  const stream = streamOf(
    inbox,
    async function* () {
      yield await new Promise<never>(() => undefined)
    },
    (listener) => (tell = listener)
  )
  await stream.open()
  expect(inbox.states).toEqual(['live'])
  tell({ type: 'back' })
  expect(inbox.gaps).toHaveLength(1)
  expect(inbox.states).toEqual(['live', 'healing'])
  vi.advanceTimersByTime(1)
  await nextTurn()
  expect(inbox.states).toEqual(['live', 'healing', 'live'])
  stream.close()
})
