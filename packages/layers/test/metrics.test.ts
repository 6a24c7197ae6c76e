import { describe, expect, it } from 'vitest'
import { type CallRecord, countingSink, type IncomingRecord, metrics } from '../src/metrics.ts'
import { block, cid, collect, failing, failure, fake } from './support.ts'

function recorder(): {
  calls: CallRecord[]
  incoming: IncomingRecord[]
  onCall: (r: CallRecord) => void
  onIncoming: (r: IncomingRecord) => void
  now: () => number
} {
  const calls: CallRecord[] = []
  const incoming: IncomingRecord[] = []
  let time = 0
  return {
    calls,
    incoming,
    onCall: (record) => void calls.push(record),
    onIncoming: (record) => void incoming.push(record),
    now: () => (time += 5)
  }
}

describe('metrics', () => {
  it('reports duration and bytes of what succeeded', async () => {
    const sink = recorder()
    const { blocks } = metrics(sink)(
      fake({ blocks: { get: async () => new Uint8Array(7), putMany: async () => undefined } })
    )
    await blocks?.get(cid)
    await blocks?.putMany([block, block])
    expect(sink.calls).toEqual([
      expect.objectContaining({ operation: 'blocks.get', outcome: 'ok', duration: 5, sentBytes: 0, receivedBytes: 7 }),
      expect.objectContaining({ operation: 'blocks.putMany', backend: 'fake', sentBytes: 2, receivedBytes: 0 })
    ])
  })

  it.each([
    ['TIMEOUT', failure('TIMEOUT')],
    ['unknown', new Error('foreign')]
  ])('reports the code %s and throws the error as it came', async (code, error) => {
    const sink = recorder()
    const { blocks } = metrics(sink)(fake({ blocks: { has: failing([error], true) } }))
    await expect(blocks?.has(cid)).rejects.toBe(error)
    expect(sink.calls).toMatchObject([{ outcome: 'error', code }])
  })

  it('tells an iteration that was read to the end from one that was closed or failed', async () => {
    const sink = recorder()
    let fail = false
    const { blocks } = metrics(sink)(
      fake({
        blocks: {
          gc: async function* () {
            yield cid
            yield cid
            if (fail) throw failure('ENGINE')
          }
        }
      })
    )
    await collect(blocks!.gc())
    for await (const _ of blocks!.gc()) break
    fail = true
    await expect(collect(blocks!.gc())).rejects.toMatchObject({ code: 'ENGINE' })
    expect(sink.calls.map(({ outcome, items }) => [outcome, items])).toEqual([
      ['ok', 2],
      ['closed', 1],
      ['error', 2]
    ])
  })

  it('counts the bytes of a payload', async () => {
    const sink = recorder()
    const { messages } = metrics(sink)(fake({ messages: { publish: async () => ({ recipients: 1 }) } }))
    await messages?.publish('t', new Uint8Array(9))
    expect(sink.calls).toMatchObject([{ operation: 'messages.publish', sentBytes: 9 }])
  })

  it('reports what comes in, and hands on verdicts and states', async () => {
    const sink = recorder()
    const seen: unknown[] = []
    const { messages } = metrics(sink)(
      fake({
        messages: {
          subscribe: async (_, subscriber) => {
            seen.push(await subscriber.message({ payload: block.bytes }))
            subscriber.gap({ reason: 'overflow' })
            subscriber.state?.('healing')
            return { close: async () => undefined }
          }
        }
      })
    )
    await messages?.subscribe('t', {
      message: () => 'reject',
      gap: (gap) => seen.push(gap),
      state: (state) => seen.push(state)
    })
    await messages?.subscribe('t', { message: () => Promise.resolve('accept'), gap: () => undefined })
    expect(seen).toEqual(['reject', { reason: 'overflow' }, 'healing', 'accept'])
    expect(sink.incoming.slice(0, 2)).toEqual([
      { backend: 'fake', topic: 't', event: 'message', receivedBytes: 1 },
      { backend: 'fake', topic: 't', event: 'gap', receivedBytes: 0 }
    ])
  })

  it('survives a sink that throws', async () => {
    const sink = {
      onCall: () => {
        throw new Error('full')
      }
    }
    expect(await metrics(sink)(fake({ blocks: { has: async () => true } })).blocks?.has(cid)).toBe(true)
  })

  it('adds up per operation', async () => {
    const sink = countingSink()
    const has = failing([failure('TIMEOUT'), failure('TIMEOUT'), failure('ENGINE')], true)
    const { blocks } = metrics(sink)(fake({ blocks: { has } }))
    for (let i = 0; i < 4; i++) await blocks?.has(cid).catch(() => undefined)
    expect(sink.totals().operations).toEqual({
      'blocks.has': expect.objectContaining({ calls: 4, errors: { TIMEOUT: 2, ENGINE: 1 } })
    })
  })
})
