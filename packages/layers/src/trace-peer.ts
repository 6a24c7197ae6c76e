import { type Context, ROOT_CONTEXT, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import type { Message, Peer, Subscription, Topic } from '@p2pl/core'
import { Budget, checkPeer, override } from '@p2pl/core/backend'
import { childContext, endSpan, failSpan, parentOf, tracerOf, type TracingOptions } from './internal/spans.ts'
import { traceCalls } from './internal/trace-calls.ts'
import { traceOf, withTrace } from './internal/trace-header.ts'

type Positions<T> = { readonly [K in keyof T]?: number }

/** The position of the options among the arguments of `peer.data` and `peer.blocks` calls. */
const dataCalls: Positions<Peer['data']> = {
  add: 1,
  get: 1,
  bytes: 1,
  stat: 1,
  has: 1,
  pin: 1,
  unpin: 1,
  pins: 0,
  gc: 0,
  provide: 1,
  unprovide: 1,
  findProviders: 1,
  reach: 1,
  willing: 0,
  release: 1
}
const blockCalls: Positions<Peer['blocks']> = { get: 1, put: 1, putMany: 1, has: 1, delete: 1 }

/** Maximum number of spans per second that messages of other peers may cause here: from one sender, and in total. */
const perSender = 20
const perSecond = 200

/**
 * The same peer, with a span for each call of its data, blocks and topics. A published message carries its trace in the
 * header `traceparent`, and each peer that traces adds a span to the same trace when it reads the message. With the layer
 * `tracing` around the backend, the trace also includes the spans of the calls to the backend.
 *
 * Senders decide what they put into a trace, so only some of their messages get a span: 20 per second for each sender, 200
 * in total.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown, or `tracer` is not a tracer.
 */
export function tracePeer<P extends Peer>(peer: P, options: TracingOptions = {}): P {
  checkPeer('tracePeer', peer)
  const tracer = tracerOf('tracePeer', options)
  const { clock } = peer.environment
  const budget = new Budget({
    total: perSecond,
    each: perSender,
    isKnown: () => true,
    refill: { ms: 1_000, now: () => clock.now() }
  })
  const mayReceive = (sender: string): boolean => budget.take(sender, 1) !== undefined
  const topic = peer.topic.bind(peer) as (...args: unknown[]) => AnyTopic
  return override(peer, {
    topic: (...args: unknown[]) => traceTopic(tracer, topic(...args), mayReceive),
    data: traceCalls(tracer, 'data', peer.data, dataCalls),
    blocks: traceCalls(tracer, 'blocks', peer.blocks, blockCalls)
  })
}

const received = new WeakMap<object, Context>()

/**
 * The trace that a message belongs to, to pass as the `context` of calls that the app makes because of the message.
 * `undefined` for a message that is not traced.
 */
export function messageContext(message: object): Context | undefined {
  return received.get(message)
}

type AnyTopic = Topic<unknown, unknown>

function traceTopic(tracer: Tracer, topic: AnyTopic, mayReceive: (sender: string) => boolean): AnyTopic {
  const { name, mode } = topic
  const publish: AnyTopic['publish'] = async (payload, options = {}) => {
    // `publish` refuses these options anyway.
    if (typeof options !== 'object' || options === null) return await topic.publish(payload, options)
    const attributes = { 'p2pl.topic': name }
    const span = tracer.startSpan('topic.publish', { kind: SpanKind.PRODUCER, attributes }, parentOf(options.context))
    try {
      const headers = mode === 'raw' ? options.headers : withTrace(options.headers, span.spanContext())
      const context = childContext(options.context, span)
      const receipt = await topic.publish(payload, { ...options, context, ...(headers && { headers }) })
      const { id, recipients } = receipt
      endSpan(span, {
        ...(id && { 'p2pl.message': id }),
        ...(recipients !== undefined && { 'p2pl.recipients': recipients })
      })
      return receipt
    } catch (error) {
      failSpan(span, error)
      throw error
    }
  }
  const onMessage = (message: Message<unknown>): void => {
    const { headers, sender, id } = message
    const origin = traceOf(headers)
    if (origin === undefined || !mayReceive(sender)) return
    const attributes = { 'p2pl.topic': name, 'p2pl.sender': sender, 'p2pl.message': id }
    const parent = trace.setSpanContext(ROOT_CONTEXT, origin)
    const span = tracer.startSpan('topic.receive', { kind: SpanKind.CONSUMER, attributes }, parent)
    span.end()
    received.set(message, trace.setSpan(parent, span))
  }
  return override(topic, {
    publish,
    subscribe: (options: Parameters<AnyTopic['subscribe']>[0]) => traceItems(topic.subscribe(options), onMessage)
  })
}

function traceItems(
  subscription: Subscription<unknown>,
  onMessage: (message: Message<unknown>) => void
): Subscription<unknown> {
  const traced: Subscription<unknown> = override(subscription, {
    next: async () => {
      const item = await subscription.next()
      const { value } = item as { value?: Partial<Message<unknown>> }
      if (item.done !== true && value?.type === 'message') onMessage(value as Message<unknown>)
      return item
    },
    [Symbol.asyncIterator]: () => traced
  })
  return traced
}
