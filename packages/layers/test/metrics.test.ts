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
      fake({ blocks: { get: async () => new Uint8Array(7), put: async () => undefined } })
    )
    await blocks?.get(cid)
    await blocks?.put(block)
    expect(sink.calls).toEqual([
      expect.objectContaining({ operation: 'blocks.get', outcome: 'ok', duration: 5, sentBytes: 0, receivedBytes: 7 }),
      expect.objectContaining({ operation: 'blocks.put', backend: 'fake', sentBytes: 1, receivedBytes: 0 })
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
    const { blocks } = metrics(sink)(
      fake({
        blocks: {
          getDag: async function* (_, options) {
            yield block
            yield block
            if (options?.local === true) throw failure('NOT_FOUND')
          }
        }
      })
    )
    await collect(blocks!.getDag!(cid))
    for await (const _ of blocks!.getDag!(cid)) break
    await expect(collect(blocks!.getDag!(cid, { local: true }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(sink.calls.map(({ outcome, items, receivedBytes }) => [outcome, items, receivedBytes])).toEqual([
      ['ok', 2, 2],
      ['closed', 1, 1],
      ['error', 2, 2]
    ])
  })

  it('counts the bytes of arrays and of streams that putMany takes', async () => {
    const sink = recorder()
    const { blocks } = metrics(sink)(fake({ blocks: { putMany: async (all) => void (await collect(toAsync(all))) } }))
    await blocks?.putMany([block, block])
    await blocks?.putMany(new Set([block, { ...block }, { ...block }]))
    expect(sink.calls.map((call) => call.sentBytes)).toEqual([2, 3])
  })

  it('reports what comes in, and leaves out a validator that nobody gave', async () => {
    const sink = recorder()
    const seen: unknown[] = []
    const { messages } = metrics(sink)(
      fake({
        messages: {
          subscribe: async (_, subscriber) => {
            seen.push('validate' in subscriber, await subscriber.validate?.({ payload: block.bytes }))
            subscriber.message({ payload: block.bytes })
            subscriber.gap({ reason: 'overflow' })
            return { close: async () => undefined }
          }
        }
      })
    )
    const subscriber = { message: (m: unknown) => void seen.push(m), gap: (g: unknown) => void seen.push(g) }
    await messages?.subscribe('t', subscriber)
    await messages?.subscribe('t', { ...subscriber, validate: () => 'reject' })
    expect(seen.filter((item) => typeof item !== 'object')).toEqual([false, undefined, true, 'reject'])
    expect(seen).toHaveLength(8)
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

async function* toAsync<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items
}
