import { type Attributes, SpanKind } from '@opentelemetry/api'
import { aroundCalls, type Layer, type LayerCall } from '@p2pl/core/backend'
import { observing } from './internal/observe.ts'
import { bytesSent } from './internal/size.ts'
import { childContext, endSpan, failSpan, parentOf, tracerOf, type TracingOptions } from './internal/spans.ts'

export type { TracingOptions } from './internal/spans.ts'
export { messageContext, tracePeer } from './trace-peer.ts'

/**
 * Makes a span for each call of the backend. The span is part of the trace in the call's `context`, such as that of {@link
 * tracePeer}, or else of the active trace. Needs `@opentelemetry/api`.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown, or `tracer` is not a tracer.
 */
export function tracing(options: TracingOptions = {}): Layer {
  const tracer = tracerOf('tracing', options)
  return aroundCalls(
    observing((call) => {
      const { context } = call.options
      const kind = call.operation === 'messages.publish' ? SpanKind.PRODUCER : SpanKind.CLIENT
      const span = tracer.startSpan(call.operation, { kind, attributes: attributesOf(call) }, parentOf(context))
      return {
        changes: { context: childContext(context, span) },
        end: ({ outcome, error, receivedBytes, items }) => {
          const attributes: Attributes = {}
          if (receivedBytes > 0) attributes['p2pl.received_bytes'] = receivedBytes
          if (items !== undefined) attributes['p2pl.items'] = items
          if (outcome === 'error') failSpan(span, error, attributes)
          else endSpan(span, attributes)
        }
      }
    })
  )
}

function attributesOf(call: LayerCall): Attributes {
  const { backend, topic, cid, peer, id = peer?.id } = call
  const attributes: Attributes = { 'p2pl.backend': backend }
  if (typeof topic === 'string') attributes['p2pl.topic'] = topic
  if (cid?.multihash !== undefined) attributes['p2pl.cid'] = cid.toString()
  if (typeof id === 'string') attributes['p2pl.peer'] = id
  const sent = bytesSent(call)
  if (sent > 0) attributes['p2pl.sent_bytes'] = sent
  return attributes
}
