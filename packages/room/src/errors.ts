import { type ErrorCode, isP2plError, P2plError } from '@p2pl/core'

export function failure(code: ErrorCode, operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code, operation, message, cause })
}

/** Converts any error to a `P2plError`. */
export function asP2plError(
  error: unknown,
  operation: string,
  message: string,
  code: ErrorCode = 'PROTOCOL'
): P2plError {
  return isP2plError(error) ? error : failure(code, operation, message, error)
}
