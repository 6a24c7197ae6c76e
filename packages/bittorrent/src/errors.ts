import { abortError, isP2plError, P2plError, type ErrorCode } from '@p2pl/core/backend'

export const backendName = 'bittorrent'

export interface FailureInit {
  code: ErrorCode
  operation: string
  message: string
  retryable?: boolean | undefined
  cause?: unknown
}

/** An error of this backend. */
export function failure(init: FailureInit): P2plError {
  return new P2plError({ backend: backendName, ...init })
}

export function notRunning(operation: string): P2plError {
  return failure({
    code: 'NOT_RUNNING',
    operation,
    message: `${operation} needs a started backend: call start() first`
  })
}

/** Classifies what an operation threw. A signal of the caller that has fired wins. */
export function classify(operation: string, error: unknown, signal?: AbortSignal): P2plError {
  if (signal?.aborted === true) return abortError(operation, signal, backendName)
  if (isP2plError(error)) return error
  const code = systemCodeOf(error) ?? 'ENGINE'
  const detail = error instanceof Error ? error.message : String(error).slice(0, 200)
  return failure({ code, operation, cause: error, message: `${operation} failed: ${detail}` })
}

const systemCodes: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'STORAGE',
  EADDRINUSE: 'LOCKED',
  EADDRNOTAVAIL: 'INVALID_ARGUMENT',
  ECONNREFUSED: 'UNREACHABLE',
  ECONNRESET: 'UNREACHABLE',
  EDQUOT: 'STORAGE',
  EHOSTUNREACH: 'UNREACHABLE',
  EIO: 'STORAGE',
  ENETUNREACH: 'UNREACHABLE',
  ENOSPC: 'STORAGE',
  ENOTDIR: 'STORAGE',
  EPERM: 'STORAGE',
  EPIPE: 'UNREACHABLE',
  EROFS: 'STORAGE',
  ETIMEDOUT: 'UNREACHABLE',
  LEVEL_CORRUPTION: 'STORAGE',
  LEVEL_DATABASE_NOT_OPEN: 'NOT_RUNNING',
  LEVEL_IO_ERROR: 'STORAGE',
  LEVEL_LOCKED: 'LOCKED'
}

/** The system's or the store's code, wherever it stands in the chain of causes. */
function systemCodeOf(error: unknown): ErrorCode | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code
    const known = typeof code === 'string' ? systemCodes[code] : undefined
    if (known !== undefined) return known
  }
  return undefined
}
