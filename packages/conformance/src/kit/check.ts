import { equalBytes, isP2plError, type Backend, type ErrorCode, type P2plError } from '@p2pl/core/backend'

/** Fails the test. `what` is the obligation that was not kept, `seen` what happened instead. */
export function fail(what: string, seen: unknown, cause?: unknown): never {
  const error = new Error(`${what}\n  seen: ${show(seen)}`, cause === undefined ? undefined : { cause })
  error.name = 'ConformanceError'
  throw error
}

export function check(condition: boolean, what: string, seen: unknown): asserts condition {
  if (!condition) fail(what, seen)
}

export function equal<T>(seen: T, expected: T, what: string): void {
  if (!Object.is(seen, expected)) fail(`${what} (expected ${show(expected)})`, seen)
}

export function sameBytes(seen: Uint8Array, expected: Uint8Array, what: string): void {
  if (!equalBytes(seen, expected)) fail(`${what} (expected ${show(expected)})`, seen)
}

/** The same values, in any order. */
export function sameSet(seen: Iterable<string>, expected: Iterable<string>, what: string): void {
  const [a, b] = [[...seen].sort(), [...expected].sort()]
  if (a.length !== b.length || a.some((value, i) => value !== b[i])) fail(`${what} (expected ${show(b)})`, a)
}

export interface Expected {
  readonly backend: Backend
  readonly operation: string
  readonly codes: readonly ErrorCode[]
}

/** The names of the backends that a combinator is made from. */
const partsOf = new WeakMap<Backend, readonly string[]>()

/** Lets errors and events of a backend carry the names of its parts. */
export function nameParts(backend: Backend, names: readonly string[]): void {
  partsOf.set(backend, names)
}

/** Whether an error or event of the backend may carry the name. */
export function isNameOf(backend: Backend, name: unknown): boolean {
  return name === backend.name || partsOf.get(backend)?.includes(name as string) === true
}

/** The call must reject with one of the codes, as a branded error that names its backend and operation. */
export async function rejects(call: () => Promise<unknown>, expected: Expected): Promise<P2plError> {
  const wanted = `${expected.operation} rejects with ${expected.codes.join(' or ')}`
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (error) {
    fail(`${wanted}, as a rejected promise`, `it threw at once: ${show(error)}`, error)
  }
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return wellFormed(error, expected)
  }
  return fail(wanted, `it resolved with ${show(value)}`)
}

const neverRetryable: readonly ErrorCode[] = ['ABORTED', 'UNSUPPORTED', 'TOO_LARGE', 'INVALID_ARGUMENT', 'PINNED']

/** Checks any rejection of the port: branded, with backend, operation and an honest `retryable`. */
export function wellFormed(error: unknown, expected: Expected): P2plError {
  const { backend, operation, codes } = expected
  if (!isP2plError(error)) fail(`${operation} rejects with a branded P2plError`, error, error)
  if (!codes.includes(error.code)) fail(`${operation} rejects with ${codes.join(' or ')}`, error, error)
  if (!isNameOf(backend, error.backend))
    fail(`the error of ${operation} names its backend "${backend.name}"`, error.backend, error)
  if (error.operation !== operation) fail(`the error names its operation "${operation}"`, error.operation, error)
  if (typeof error.retryable !== 'boolean')
    fail(`the error of ${operation} says whether it is retryable`, error.retryable, error)
  if (error.retryable && neverRetryable.includes(error.code))
    fail(`${error.code} of ${operation} is not retryable: the same call cannot succeed later`, 'retryable: true', error)
  return error
}

/**
 * Checks a rejection while the backend is cut off. The same call may succeed later, so the error is retryable, unless the
 * signal ended the call, it is unknown whether a message was sent, or the call may fail by itself with one of `codes`.
 */
export function whileCut(error: unknown, expected: Expected): P2plError {
  const seen = anyError(error, expected.backend, expected.operation)
  const uncertain = expected.operation === 'messages.publish' ? ['UNCERTAIN'] : []
  if (seen.retryable || ['ABORTED', 'TIMEOUT', ...uncertain, ...expected.codes].includes(seen.code)) return seen
  return fail(`an error of ${expected.operation} while the backend is cut off is retryable`, seen, seen)
}

/** A rejection of any code. */
export function anyError(error: unknown, backend: Backend, operation: string): P2plError {
  return wellFormed(error, { backend, operation, codes: isP2plError(error) ? [error.code] : [] })
}

export function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    const head = Array.from(value.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
    return `${value.byteLength} bytes ${head}${value.byteLength > 16 ? '…' : ''}`
  }
  if (isP2plError(value)) return `P2plError ${value.code}: ${value.message}`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'string') return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)
  if (Array.isArray(value))
    return `[${value
      .slice(0, 8)
      .map((item) => show(item))
      .join(', ')}${value.length > 8 ? `, … ${value.length} in all` : ''}]`
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.stringify(value)
    } catch {
      return Object.prototype.toString.call(value)
    }
  }
  return String(value)
}
