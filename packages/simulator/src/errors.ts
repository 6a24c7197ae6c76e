import { P2plError } from '@p2pl/core/backend'
import type { ErrorCode } from '@p2pl/core/backend'

/** The `name` of every simulated backend. */
export const backendName = 'memory'

export function failure(code: ErrorCode, operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code, operation, message, backend: backendName, cause })
}
