import { isSpanContextValid, type SpanContext } from '@opentelemetry/api'

/** The name of the header, and the form of its value: https://www.w3.org/TR/trace-context/ */
const name = 'traceparent'
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{1,256})?$/
/** The maximum number of headers of a message. */
const maxHeaders = 16

type Headers = Readonly<Record<string, string>>

/**
 * The headers, with the trace added. They stay unchanged if the app set its own trace, if nothing is traced, or if no
 * further header fits.
 */
export function withTrace(headers: Headers | undefined, span: SpanContext): Headers | undefined {
  const given = headers ?? {}
  if (!isSpanContextValid(span) || name in given || Object.keys(given).length >= maxHeaders) return headers
  return {
    ...given,
    [name]: `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 0xff).toString(16).padStart(2, '0')}`
  }
}

/** The span that a message comes from; `undefined` for any other text. */
export function traceOf(headers: Headers | undefined): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(headers?.[name] ?? '') ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(span) ? span : undefined
}
