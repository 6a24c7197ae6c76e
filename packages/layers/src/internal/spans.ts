import {
  type Attributes,
  type Context,
  context as contexts,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer
} from '@opentelemetry/api'
import { checkKeys, errorMessage, invalidArgument, isP2plError } from '@p2pl/core/backend'
import { redact } from './redact.ts'

export interface TracingOptions {
  /** Makes the spans. Default: the tracer of the globally registered provider. Without such a provider nothing is recorded. */
  tracer?: Tracer | undefined
}

export function tracerOf(layer: string, options: TracingOptions): Tracer {
  checkKeys(layer, options, ['tracer'])
  const { tracer = trace.getTracer('@p2pl/layers') } = options
  if (typeof (tracer as Partial<Tracer> | null)?.startSpan === 'function') return tracer
  throw invalidArgument(layer, `${layer}: tracer must be a Tracer of OpenTelemetry: trace.getTracer('my-app')`)
}

/** The trace that a call belongs to: the `context` that the app gave, or else the active one. */
export function parentOf(given: unknown): Context {
  return isContext(given) ? given : contexts.active()
}

/** The `context` for the calls below. If the app's context does not belong to OpenTelemetry, it stays unchanged. */
export function childContext(given: unknown, span: Span): unknown {
  return given === undefined || isContext(given) ? trace.setSpan(parentOf(given), span) : given
}

export function endSpan(span: Span, attributes: Attributes = {}): void {
  span.setAttributes(attributes)
  span.end()
}

export function failSpan(span: Span, error: unknown, attributes: Attributes = {}): void {
  const message = redact(errorMessage(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  endSpan(span, { ...attributes, 'error.type': isP2plError(error) ? error.code : 'unknown' })
}

function isContext(value: unknown): value is Context {
  const { getValue, setValue } = (value ?? {}) as Partial<Context>
  return typeof getValue === 'function' && typeof setValue === 'function'
}
