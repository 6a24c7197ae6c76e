import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createPeer, type Message, type Peer, type Subscription } from '@p2pl/core'
import { compose } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { describe, expect, it } from 'vitest'
import { messageContext, tracePeer, tracing } from '../src/tracing.ts'
import { block, cid, collect, failing, failure, fake } from './support.ts'

/** A tracer of the real SDK, and the spans that it has made. */
function recorder() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const spans = () =>
    exporter.getFinishedSpans().map((span) => {
      const { name, attributes, status, parentSpanContext } = span
      const { traceId, spanId } = span.spanContext()
      return { name, attributes, status, traceId, spanId, parent: parentSpanContext?.spanId }
    })
  return {
    tracer: provider.getTracer('test'),
    spans,
    named: (name: string) => spans().filter((span) => span.name === name)
  }
}

/** A peer that traces, backend and all. */
async function traced(network: MemoryNetwork) {
  const record = recorder()
  const { tracer } = record
  const peer = tracePeer(await createPeer({ backend: compose(memory({ network }), tracing({ tracer })) }), { tracer })
  return { ...record, peer }
}

const nextMessage = async (subscription: Subscription): Promise<Message> => {
  const { value } = await subscription.next()
  expect(value?.type).toBe('message')
  return value as Message
}

const bytes = new Uint8Array(10)

describe('tracing', () => {
  it('makes a span of each call, in the trace of its context', async () => {
    const { tracer, named } = recorder()
    const get = failing([failure('TIMEOUT')], block.bytes)
    const { blocks } = tracing({ tracer })(
      fake({
        blocks: {
          get,
          pins: async function* () {
            yield { cid, recursive: true }
          }
        }
      })
    )
    const root = tracer.startSpan('app')
    const context = trace.setSpan(ROOT_CONTEXT, root)
    await expect(blocks!.get(cid, { context })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await blocks!.get(cid, { context })
    await collect(blocks!.pins({ context }))
    const [failed, good] = named('blocks.get')
    expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: 'TIMEOUT' } })
    expect(failed!.attributes).toMatchObject({ 'error.type': 'TIMEOUT', 'p2pl.cid': cid.toString() })
    expect(good).toMatchObject({ traceId: root.spanContext().traceId, parent: root.spanContext().spanId })
    expect(good!.attributes).toMatchObject({ 'p2pl.backend': 'fake', 'p2pl.received_bytes': 1 })
    expect(named('blocks.pins')[0]!.attributes).toMatchObject({ 'p2pl.items': 1 })
  })

  it('hands its span on to what is inside of it, and leaves a foreign context alone', async () => {
    const { tracer, named } = recorder()
    const contexts: unknown[] = []
    const inner = fake({
      blocks: {
        has: async (_, options) => {
          contexts.push(options?.context)
          return true
        }
      }
    })
    const { blocks } = compose(inner, tracing({ tracer }))
    const mine = { request: 7 }
    await blocks!.has(cid)
    await blocks!.has(cid, { context: mine })
    expect(trace.getSpan(contexts[0] as never)?.spanContext().spanId).toBe(named('blocks.has')[0]!.spanId)
    expect(contexts[1]).toBe(mine)
  })

  it('refuses what is no tracer', () => {
    expect(() => tracing({ tracer: {} as never })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('tracePeer', () => {
  it('puts a publish, what the backend did, and the receipt at every peer into one trace', async () => {
    const network = new MemoryNetwork()
    const all = await Promise.all([traced(network), traced(network), traced(network)])
    await using a = all[0].peer
    await using b = all[1].peer
    await using c = all[2].peer
    const subscriptions = [b, c].map((peer) => peer.topic('news').subscribe())
    await Promise.all(subscriptions.map(({ joined }) => joined))
    await a.topic('news').publish(bytes, { headers: { mine: 'kept' } })
    const messages = await Promise.all(subscriptions.map(nextMessage))
    const [published] = all[0].named('topic.publish')
    const sent = all[0].named('messages.publish')[0]!
    expect(sent).toMatchObject({ traceId: published!.traceId, parent: published!.spanId })
    for (const [at, { named }] of all.slice(1).entries()) {
      const [received] = named('topic.receive')
      expect(received).toMatchObject({ traceId: published!.traceId, parent: published!.spanId })
      expect(received!.attributes).toMatchObject({
        'p2pl.topic': 'news',
        'p2pl.sender': a.id,
        'p2pl.message': messages[at]!.id
      })
      expect(messages[at]!.headers).toMatchObject({ mine: 'kept' })
    }
  })

  it('follows a get through its fetches', async () => {
    const network = new MemoryNetwork()
    const [one, two] = await Promise.all([traced(network), traced(network)])
    await using a = one.peer
    await using b = two.peer
    const { cid: root } = await a.data.add(new Uint8Array(3 * 1024 * 1024).map((_, i) => i >> 20))
    await collect(b.data.get(root, { providers: a.network.self() }))
    const get = two.named('data.get')[0]!
    const fetches = two.named('blocks.get').filter(({ traceId }) => traceId === get.traceId)
    // The root and three leaves.
    expect(fetches).toHaveLength(4)
    expect(fetches.every(({ parent }) => parent === get.spanId)).toBe(true)
    const add = one.named('data.add')[0]!
    expect(one.named('blocks.pin')[0]).toMatchObject({ traceId: add.traceId, parent: add.spanId })
  })

  it('goes on with the trace of a message where the app says so', async () => {
    const network = new MemoryNetwork()
    const [one, two] = await Promise.all([traced(network), traced(network)])
    await using a = one.peer
    await using b = two.peer
    const subscription = b.topic('news').subscribe()
    await subscription.joined
    await a.topic('news').publish(bytes)
    const message = await nextMessage(subscription)
    await b.data.add('an answer', { context: messageContext(message) })
    expect(two.named('data.add')[0]!.traceId).toBe(one.named('topic.publish')[0]!.traceId)
  })

  it('adds nothing to a message when nothing is recorded, or the app has set a trace, or no header fits', async () => {
    const network = new MemoryNetwork()
    await using untraced = tracePeer(await createPeer({ backend: memory({ network }) }))
    const { peer } = await traced(network)
    await using sender = peer
    await using receiver = await createPeer({ backend: memory({ network }) })
    const subscription = receiver.topic('news').subscribe()
    await subscription.joined
    const headersOf = async (from: Peer, headers?: Record<string, string>): Promise<object> => {
      await from.topic('news').publish(bytes, { headers })
      return { ...(await nextMessage(subscription)).headers }
    }
    expect(await headersOf(untraced)).toEqual({})
    expect(await headersOf(sender)).toEqual({ traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) })
    expect(await headersOf(sender, { traceparent: 'mine' })).toEqual({ traceparent: 'mine' })
    const full = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`h${i}`, '']))
    expect(await headersOf(sender, full)).toEqual(full)
  })

  it.each([
    'not a trace',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'
  ])('ignores the header %j of a stranger', async (traceparent) => {
    const network = new MemoryNetwork()
    const { peer, named } = await traced(network)
    await using receiver = peer
    await using sender = await createPeer({ backend: memory({ network }) })
    const subscription = receiver.topic('news').subscribe()
    await subscription.joined
    await sender.topic('news').publish(bytes, { headers: { traceparent } })
    const message = await nextMessage(subscription)
    expect(named('topic.receive')).toEqual([])
    expect(messageContext(message)).toBeUndefined()
  })

  it('makes no more spans than its budget of what a sender makes up', async () => {
    const network = new MemoryNetwork()
    const record = recorder()
    const { tracer } = record
    const still = { now: () => 0, wall: () => 0, setTimeout, clearTimeout, nextTurn: setImmediate } as never
    const receiver = tracePeer(await createPeer({ backend: memory({ network }), environment: { clock: still } }), {
      tracer
    })
    await using _receiver = receiver
    await using sender = await createPeer({ backend: memory({ network }) })
    const subscription = receiver.topic('news').subscribe()
    await subscription.joined
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await Promise.all(
      Array.from({ length: 100 }, () => sender.topic('news').publish(bytes, { headers: { traceparent } }))
    )
    for (let i = 0; i < 100; i++) await nextMessage(subscription)
    expect(record.named('topic.receive')).toHaveLength(20)
  })

  it('keeps everything else of peer, topics and subscriptions', async () => {
    const network = new MemoryNetwork()
    const inner = await createPeer({ backend: memory({ network }) })
    await using peer = tracePeer(inner, { tracer: recorder().tracer })
    expect([peer.id, peer.data.protect === undefined, peer.network]).toEqual([inner.id, false, inner.network])
    const topic = peer.topic('news')
    await using subscription = topic.subscribe({ echo: true })
    await subscription.joined
    expect(subscription.state).toBe('live')
    await topic.publish(bytes, { recipients: 0 })
    for await (const item of subscription) {
      expect(item).toMatchObject({ type: 'message', sender: peer.id })
      break
    }
    expect([subscription.state, topic.stats().published]).toEqual(['ended', 1])
    await expect(peer.data.get(cid, { offset: -1 }).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(topic.publish(bytes, 7 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
