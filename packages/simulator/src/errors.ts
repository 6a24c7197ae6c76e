import { P2plError } from '@p2pl/core/backend'
import type { ErrorCode } from '@p2pl/core/backend'

export function failure(code: ErrorCode, operation: string, message: string): P2plError {
  return new P2plError({ code, operation, message })
}
