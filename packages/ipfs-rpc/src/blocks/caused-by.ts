import { isP2plError } from '@p2pl/core/backend'
import { RpcStatusError } from '@p2pl/kubo/rpc'

/** Whether the daemon gave a matching reason for the error. */
export function causedBy(error: unknown, pattern: RegExp): boolean {
  const cause = isP2plError(error) ? error.cause : undefined
  return cause instanceof RpcStatusError && pattern.test(cause.message)
}
