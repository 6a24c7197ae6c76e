import { errorMessage } from '@p2pl/core/backend'
import { type ErrorCode, isP2plError, P2plError } from '@p2pl/core'

export function failure(code: ErrorCode, operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code, operation, message, cause })
}

/** Converts any error to a `P2plError`. */
export function asP2plError(error: unknown, operation: string): P2plError {
  if (isP2plError(error)) return error
  return failure('ENGINE', operation, `${operation}: ${errorMessage(error)}`, error)
}
