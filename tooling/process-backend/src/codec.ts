import { isP2plError, P2plError, type P2plErrorInit } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'

/** What cannot be copied into another process stays in its own and is called there: it crosses as a number. */
export interface References {
  /** Makes the function callable by the other side. */
  exportFunction(fn: Callable): number
  importFunction(id: number): Callable
  exportSignal(signal: AbortSignal): { id: number } | { reason: unknown }
  importSignal(id: number): AbortSignal
  /** An error that comes back is the very one that was sent. */
  exportError(error: Error): { own: number } | { theirs: number }
  importError(id: number, copy: Error): Error
  ownError(id: number): Error | undefined
}

export type Callable = (...args: readonly unknown[]) => unknown

/** A value in disguise. No backend has an object with this key. */
const mark = '#p2pl'

type Disguised =
  | { readonly [mark]: 'cid'; readonly bytes: Uint8Array }
  | { readonly [mark]: 'function'; readonly id: number }
  | { readonly [mark]: 'signal'; readonly id: number }
  | { readonly [mark]: 'fired'; readonly reason: unknown }
  | { readonly [mark]: 'iterable'; readonly next: number; readonly end: number }
  | { readonly [mark]: 'p2pl-error'; readonly id: number; readonly init: P2plErrorInit; readonly cause: unknown }
  | {
      readonly [mark]: 'error'
      readonly id: number
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
    }
  | { readonly [mark]: 'your-error'; readonly id: number }

/** A value as a structured clone can carry it. */
export function encode(value: unknown, references: References): unknown {
  if (typeof value === 'function') {
    const fn = value as Callable
    return { [mark]: 'function', id: references.exportFunction((...args) => fn(...args)) } satisfies Disguised
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const cid = CID.asCID(value)
  if (cid !== null) return { [mark]: 'cid', bytes: cid.bytes } satisfies Disguised
  if (value instanceof AbortSignal) {
    const signal = references.exportSignal(value)
    return 'id' in signal
      ? ({ [mark]: 'signal', id: signal.id } satisfies Disguised)
      : ({ [mark]: 'fired', reason: encode(signal.reason, references) } satisfies Disguised)
  }
  if (value instanceof Error) return encodeError(value, references)
  if (Array.isArray(value)) return value.map((one) => encode(one, references))
  const iterator = iteratorOf(value)
  if (iterator !== undefined)
    return {
      [mark]: 'iterable',
      next: references.exportFunction(() => iterator().next()),
      end: references.exportFunction(() => iterator().return?.())
    } satisfies Disguised
  return Object.fromEntries(members(value).map(([key, one]) => [key, encode(one, references)]))
}

/** Methods stand in the class, not in the object. */
function members(value: object): [string, unknown][] {
  const entries = new Map<string, unknown>()
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const key of Object.getOwnPropertyNames(at)) {
      const one: unknown = key === 'constructor' ? undefined : (value as Record<string, unknown>)[key]
      if (one === undefined || entries.has(key)) continue
      entries.set(key, typeof one === 'function' ? (one as Callable).bind(value) : one)
    }
  return [...entries]
}

type Iterators = AsyncIterator<unknown> | Iterator<unknown>

/** Nothing of it runs before the first value is asked for. */
function iteratorOf(value: object): (() => Iterators) | undefined {
  const make =
    (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] ??
    (value as Partial<Iterable<unknown>>)[Symbol.iterator]
  if (typeof make !== 'function') return undefined
  let iterator: Iterators | undefined
  return () => (iterator ??= (make as () => Iterators).call(value))
}

function encodeError(error: Error, references: References): Disguised {
  const sent = references.exportError(error)
  if ('theirs' in sent) return { [mark]: 'your-error', id: sent.theirs }
  const id = sent.own
  if (isP2plError(error)) {
    const { code, message, retryable, operation, backend, cause } = error
    const init = { code, message, retryable, operation, backend }
    return { [mark]: 'p2pl-error', id, init, cause: encode(cause, references) }
  }
  return { [mark]: 'error', id, name: error.name, message: error.message, stack: error.stack }
}

export function decode(value: unknown, references: References): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return plain(value)
  if (Array.isArray(value)) return value.map((one) => decode(one, references))
  if (!(mark in value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decode(one, references)]))
  const disguised = value as Disguised
  switch (disguised[mark]) {
    case 'cid':
      return CID.decode(plain(disguised.bytes) as Uint8Array)
    case 'function':
      return references.importFunction(disguised.id)
    case 'signal':
      return references.importSignal(disguised.id)
    case 'fired':
      return AbortSignal.abort(decode(disguised.reason, references))
    case 'iterable':
      return iterable(references.importFunction(disguised.next), references.importFunction(disguised.end))
    case 'your-error':
      return references.ownError(disguised.id)
    case 'p2pl-error': {
      const error = new P2plError({ ...disguised.init, cause: decode(disguised.cause, references) })
      return references.importError(disguised.id, error)
    }
    case 'error':
      return references.importError(disguised.id, errorOf(disguised.name, disguised.message, disguised.stack))
    default:
      return disguised satisfies never
  }
}

function errorOf(name: string, message: string, stack: string | undefined): Error {
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(message, name)
  return Object.assign(new Error(message), { name, stack })
}

/** Buffers arrive as such. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array && value.constructor !== Uint8Array ? new Uint8Array(value) : value
}

async function* iterable(next: Callable, end: Callable): AsyncGenerator<unknown, void, undefined> {
  try {
    for (;;) {
      const { value, done } = (await next()) as IteratorResult<unknown>
      if (done === true) return
      yield value
    }
  } finally {
    await end()
  }
}
