import { P2plError } from '@p2pl/core'
import type { ErrorCode } from '@p2pl/core'

/** A wrong argument of a call of the view, or of `openView`. */
export function invalid(call: string, message: string, code: ErrorCode = 'INVALID_ARGUMENT'): P2plError {
  return new P2plError({ code, operation: call === 'openView' ? call : `view.${call}`, message: `${call}: ${message}` })
}

export function notRunning(call: string): P2plError {
  return new P2plError({
    code: 'NOT_RUNNING',
    operation: `view.${call}`,
    message: `${call}: the view was stopped: open it again`
  })
}

export function aborted(call: string, signal: AbortSignal): P2plError {
  const reason: unknown = signal.reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return new P2plError({
    code: timedOut ? 'TIMEOUT' : 'ABORTED',
    operation: `view.${call}`,
    cause: reason,
    message: `${call} ${timedOut ? 'did not finish before its deadline' : 'was aborted'}`
  })
}
