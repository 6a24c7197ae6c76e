import type { Subscriber } from '@p2pl/core/backend'
import { describe, expect, it, vi } from 'vitest'
import { log, type LogFields, type LogLevel } from '../src/index.ts'
import { redact } from '../src/internal/redact.ts'
import { block, cid, collect, failing, failure, fake, ManualClock } from './support.ts'

function recorded(): {
  lines: [LogLevel, string, LogFields][]
  write: (...line: [LogLevel, string, LogFields]) => void
} {
  const lines: [LogLevel, string, LogFields][] = []
  return { lines, write: (...line) => void lines.push(line) }
}

describe('log', () => {
  it('writes a line for each call, at a level that fits', async () => {
    const { lines, write } = recorded()
    const get = failing([failure('TIMEOUT'), failure('ABORTED')], block.bytes)
    const backend = log({ write, clock: new ManualClock() })(fake({ blocks: { get } }))
    await backend.start()
    for (let i = 0; i < 3; i++) await backend.blocks!.get(cid).catch(() => undefined)
    expect(lines.map(([level, message]) => `${level} ${message}`)).toEqual([
      'info start',
      'warn TIMEOUT',
      'debug ABORTED',
      'debug blocks.get'
    ])
    expect(lines[1]?.[2]).toMatchObject({ operation: 'blocks.get', backend: 'fake', code: 'TIMEOUT', retryable: true })
    expect(lines[3]?.[2]).toMatchObject({ cid: cid.toString(), receivedBytes: 1, ms: 0 })
  })

  it('tells of gaps and states, and hands everything on', async () => {
    const { lines, write } = recorded()
    const seen: unknown[] = []
    const subscribe = async (_: string, subscriber: Subscriber): Promise<{ close: () => Promise<void> }> => {
      seen.push(await subscriber.message({ payload: block.bytes }))
      subscriber.gap({ reason: 'disconnected', lasted: 5 })
      subscriber.state?.('healing')
      return { close: async () => undefined }
    }
    const { messages } = log({ write })(fake({ messages: { subscribe } }))
    await messages!.subscribe('t', {
      message: () => 'reject',
      gap: (gap) => seen.push(gap.reason),
      state: (state) => seen.push(state)
    })
    expect(seen).toEqual(['reject', 'disconnected', 'healing'])
    expect(lines.map(([level, message]) => `${level} ${message}`)).toEqual([
      'warn messages may have been lost',
      'info the subscription is healing',
      'debug messages.subscribe'
    ])
  })

  it('cannot be filled by failures, and says how many it left out', async () => {
    const { lines, write } = recorded()
    const clock = new ManualClock()
    const has = async (): Promise<never> => {
      throw failure('UNREACHABLE')
    }
    const { blocks } = log({ write, clock, linesPerMinute: 3 })(fake({ blocks: { has, pins: async function* () {} } }))
    for (let i = 0; i < 100; i++) await blocks!.has(cid).catch(() => undefined)
    await collect(blocks!.pins())
    expect(lines).toHaveLength(4)
    await clock.advance(60_000)
    await blocks!.has(cid).catch(() => undefined)
    expect(lines.at(-1)?.[2]).toMatchObject({ leftOut: 97 })
  })

  it('holds no payload, no address and no context', async () => {
    const { lines, write } = recorded()
    const secret = 'hunter2'
    const backend = log({ write })(
      fake({
        messages: { publish: async () => ({ recipients: 1 }) },
        blocks: { putMany: async () => undefined },
        routing: { connect: failing([failure('UNREACHABLE')], undefined) }
      })
    )
    const options = { context: { secret } }
    const bytes = new TextEncoder().encode(secret)
    await backend.messages!.publish('t', bytes, options)
    await backend.blocks!.putMany([{ cid, bytes }], options)
    const peer = { network: 'n', id: 'peer', addresses: [`/ws/${secret}`] }
    await backend.routing!.connect(peer, options).catch(() => undefined)
    expect(lines).toHaveLength(3)
    expect(lines[2]?.[2]).toMatchObject({ peer: 'peer' })
    expect(JSON.stringify(lines)).not.toContain(secret)
    expect(JSON.stringify(lines)).not.toContain(String(bytes[0]) + ',' + String(bytes[1]))
  })

  it.each([
    ['http://user:hunter2@host:5001/api failed', 'http://***@host:5001/api failed'],
    ['GET wss://hunter2@host/ gave 401', 'GET wss://***@host/ gave 401'],
    ['Authorization: Bearer hunter2.a-b_c= refused', 'Authorization: Bearer *** refused'],
    ['basic aHVudGVyMg== was refused', 'basic *** was refused'],
    ['GET /v0/id?token=hunter2&x=1', 'GET /v0/id?token=***&x=1'],
    ['{"api_key":"hunter2"}', '{"api_key":"***"}'],
    ['client-secret = hunter2, next', 'client-secret = ***, next'],
    ['password: hunter2', 'password: ***'],
    ['no route to 10.0.0.1:4001 (mail@example.org)', 'no route to 10.0.0.1:4001 (mail@example.org)'],
    ['two\nlines\u001b[31m\u2028', 'two lines [31m ']
  ])('blots out secrets: %j', (text, safe) => {
    expect(redact(text)).toBe(safe)
  })

  it('writes JSON lines by default', async () => {
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    try {
      await log()(fake({ blocks: { has: async () => true } })).blocks!.has(cid)
      expect(JSON.parse(debug.mock.calls[0]![0] as string)).toMatchObject({ level: 'debug', operation: 'blocks.has' })
    } finally {
      debug.mockRestore()
    }
  })

  it('breaks no call when the writer throws', async () => {
    const write = (): never => {
      throw new Error('disk full')
    }
    expect(await log({ write })(fake({ blocks: { has: async () => true } })).blocks!.has(cid)).toBe(true)
  })
})
