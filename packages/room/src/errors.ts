import { type ErrorCode, isP2plError, P2plError } from '@p2pl/core'

export function failure(code: ErrorCode, operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code, operation, message, cause })
}

/** Any error as one of ours. */
export function asP2plError(error: unknown, operation: string, message: string): P2plError {
  return isP2plError(error) ? error : failure('PROTOCOL', operation, message, error)
}

export function aborted(operation: string, signal: AbortSignal): P2plError {
  const reason: unknown = signal.reason
  if (isP2plError(reason)) return reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return failure(
    timedOut ? 'TIMEOUT' : 'ABORTED',
    operation,
    `${operation} was ${timedOut ? 'too slow' : 'aborted'}`,
    reason
  )
}
