import { override } from '@p2pl/core/backend'
import { type Attributes, type Span, type Tracer } from '@opentelemetry/api'
import { childContext, endSpan, failSpan, parentOf } from './spans.ts'

type Method = (...args: unknown[]) => unknown

/**
 * The object, with a span for each call of some of its methods. The span becomes the `context` of the calls to the backend.
 *
 * @param positions - The position of the options among the arguments of each method.
 */
export function traceCalls<T extends object>(
  tracer: Tracer,
  prefix: string,
  target: T,
  positions: { readonly [K in keyof T]?: number }
): T {
  const own: Record<string, Method> = {}
  for (const [name, position] of Object.entries<number>(positions as Record<string, number>)) {
    const method = Reflect.get(target, name) as Method | undefined
    if (method === undefined) continue
    own[name] = (...args) => {
      const { [position]: options = {} } = args
      // The method refuses these options anyway.
      if (typeof options !== 'object' || options === null) return method.apply(target, args)
      const { context } = options as { context?: unknown }
      const span = tracer.startSpan(
        `${prefix}.${name}`,
        { attributes: subjectOf(args[0], position) },
        parentOf(context)
      )
      args[position] = { ...options, context: childContext(context, span) }
      return follow(span, () => method.apply(target, args))
    }
  }
  return override(target, own as { [K in keyof T]?: unknown })
}

/** The CID that a call is about, if it has one. */
function subjectOf(subject: unknown, position: number): Attributes {
  if (position === 0) return {}
  const { multihash } = (subject ?? {}) as { multihash?: unknown }
  return multihash === undefined ? {} : { 'p2pl.cid': String(subject) }
}

/** Ends the span when the promise or the iteration ends. */
function follow(span: Span, call: () => unknown): unknown {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    failSpan(span, error)
    throw error
  }
  if (isIterator(result)) return followItems(span, result)
  return (result as Promise<unknown>).then(
    (value) => {
      endSpan(span)
      return value
    },
    (error: unknown) => {
      failSpan(span, error)
      throw error
    }
  )
}

function followItems(span: Span, items: AsyncIterableIterator<unknown>): AsyncIterableIterator<unknown> {
  const next = async (): Promise<IteratorResult<unknown>> => {
    try {
      const item = await items.next()
      if (item.done === true) endSpan(span)
      return item
    } catch (error) {
      failSpan(span, error)
      throw error
    }
  }
  const leave = async (): Promise<IteratorResult<unknown>> => {
    endSpan(span)
    return (await items.return?.()) ?? { done: true, value: undefined }
  }
  const followed: AsyncIterableIterator<unknown> = override(items, {
    next,
    return: leave,
    [Symbol.asyncIterator]: () => followed
  })
  return followed
}

function isIterator(value: unknown): value is AsyncIterableIterator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
