import type { Receipt } from './api/receipts.ts'

/**
 * What went wrong, as a stable word. Programs decide by `code` and `retryable`, people read `message`.
 */
export type ErrorCode =
  /** The caller's `AbortSignal` fired. */
  | 'ABORTED'
  /** A timeout of p2pl or of the engine passed. */
  | 'TIMEOUT'
  /**
   * It is unknown whether the call took effect: the engine was lost after it had taken the call. Not retryable by itself.
   * On signed topics core repeats such a publish, because receivers recognise a duplicate.
   */
  | 'UNCERTAIN'
  /** The content, peer or record does not exist, or no peer that has it answered. */
  | 'NOT_FOUND'
  /** Nobody was there to receive: no recipient, no connected peer, no peer that takes provider records. */
  | 'NO_PEERS'
  /** The network or the engine's process cannot be reached. */
  | 'UNREACHABLE'
  /** The engine answered with something that is not its protocol. */
  | 'PROTOCOL'
  /** Bytes do not hash to their CID, a signature does not match, a structure contradicts itself. */
  | 'INVALID_CONTENT'
  /** An argument or option is wrong; the message names it and what is allowed. */
  | 'INVALID_ARGUMENT'
  /** The backend declares that it cannot do this. */
  | 'UNSUPPORTED'
  /** A message, block or payload is over a limit. */
  | 'TOO_LARGE'
  /** A bounded queue is full. */
  | 'OVERLOADED'
  /** The block is held by a pin. */
  | 'PINNED'
  /** Called before `start` or after `stop`. */
  | 'NOT_RUNNING'
  /** The engine asks for credentials, or refuses those that it was given. */
  | 'UNAUTHORIZED'
  /** Another process holds the store or the address. */
  | 'LOCKED'
  /** A disk, quota or memory limit was reached. */
  | 'STORAGE'
  /** A package, binary or runtime feature is missing. The message names the command that installs it. */
  | 'MISSING_DEPENDENCY'
  /** The engine failed in a way that the adapter does not know. */
  | 'ENGINE'

export interface P2plErrorInit {
  code: ErrorCode
  /** What failed and what to do about it. */
  message: string
  /** Whether the same call may succeed later without any change. Default: by code, see {@link isRetryableCode}. */
  retryable?: boolean | undefined
  /** The call that failed, in dotted form: `blocks.get`. */
  operation?: string | undefined
  /** The name of the backend that failed. */
  backend?: string | undefined
  /** A layer below has already retried and given up, so nothing above retries again. Default false. */
  exhausted?: boolean | undefined
  /** How far the content got, if a call has missed its goal. */
  reached?: Receipt | undefined
  cause?: unknown
}

const brand = Symbol.for('@p2pl/error/1')
const retryableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TIMEOUT',
  'NOT_FOUND',
  'NO_PEERS',
  'UNREACHABLE',
  'PROTOCOL',
  'OVERLOADED'
])

/** Whether an error of this code is retryable by default. */
export function isRetryableCode(code: ErrorCode): boolean {
  return retryableCodes.has(code)
}

/**
 * The one error type. Recognise it with {@link isP2plError} and its `code`, never with `instanceof`:
 * two versions of this package may be installed side by side.
 */
export class P2plError extends Error {
  override readonly name: string = 'P2plError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly operation: string | undefined
  readonly backend: string | undefined
  readonly exhausted: boolean
  /** How far the content of `data.add` and `data.reach` got before the error: its CID, and who has it. */
  readonly reached: Receipt | undefined

  constructor(init: P2plErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = init.code
    this.retryable = init.retryable ?? isRetryableCode(init.code)
    this.operation = init.operation
    this.backend = init.backend
    this.exhausted = init.exhausted ?? false
    this.reached = init.reached
    Object.defineProperty(this, brand, { value: true })
  }
}

/** The same error with some fields replaced. */
export function withFields(error: P2plError, fields: Partial<P2plErrorInit>): P2plError {
  const { code, message, retryable, operation, backend, exhausted, reached, cause } = error
  const all = { code, message, retryable, operation, backend, exhausted, reached, cause: cause ?? error }
  return new P2plError({ ...all, ...fields })
}

/** Returns the message of an error, or any other thrown value as text. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Recognises a {@link P2plError} of any installed version; with `code`, one of that code. */
export function isP2plError(value: unknown, code?: ErrorCode): value is P2plError {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Record<symbol, unknown>)[brand] === true &&
    (code === undefined || (value as P2plError).code === code)
  )
}

/** An option or call that the backend declares as `none`. */
export function unsupported(backend: string, operation: string, remedy?: string): P2plError {
  return new P2plError({
    code: 'UNSUPPORTED',
    backend,
    operation,
    message: `the backend "${backend}" does not support ${operation}${remedy === undefined ? '' : `: ${remedy}`}`
  })
}

export function invalidArgument(operation: string, message: string): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, message })
}

/**
 * The error of an aborted signal: `TIMEOUT` if the signal timed out, otherwise `ABORTED`. The signal's reason becomes the
 * cause.
 */
export function abortError(operation: string, signal: AbortSignal, backend?: string): P2plError {
  const reason: unknown = signal.reason
  if (isP2plError(reason)) return reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return new P2plError({
    code: timedOut ? 'TIMEOUT' : 'ABORTED',
    operation,
    backend,
    cause: reason,
    message: timedOut ? `${operation} did not finish within its timeout` : `${operation} was aborted`
  })
}

/** Throws before any work starts if the signal has already fired, or is not a signal. */
export function throwIfAborted(operation: string, signal: AbortSignal | undefined, backend?: string): void {
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') {
    throw invalidArgument(operation, `${operation}: signal must be an AbortSignal, such as the signal of a controller`)
  }
  if (signal?.aborted === true) throw abortError(operation, signal, backend)
}
