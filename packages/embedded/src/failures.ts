import { abortError, isP2plError, P2plError, type ErrorCode } from '@p2pl/core/backend'

export interface FailureInit {
  code: ErrorCode
  operation: string
  message: string
  retryable?: boolean | undefined
  cause?: unknown
}

/** The errors of one backend. */
export interface Failures {
  /** The name of the backend. */
  readonly backend: string
  readonly failure: (init: FailureInit) => P2plError
  readonly notRunning: (operation: string) => P2plError
  /**
   * Classifies what an operation threw. A signal of the caller that has fired wins: the engine's own word for that is
   * one of many, and never the signal's reason.
   */
  readonly classify: (operation: string, error: unknown, signal?: AbortSignal) => P2plError
}

/** `codesByName`: what the modules of the engine throw, by the name of the error. Names are part of their API; messages are not. */
export function createFailures(backend: string, codesByName: Readonly<Record<string, ErrorCode>> = {}): Failures {
  const failure = (init: FailureInit): P2plError => new P2plError({ backend, ...init })
  const describe = (error: unknown): { code: ErrorCode; detail: string } => {
    // Several addresses were tried: all of them failed, and the first says why.
    if (error instanceof AggregateError && error.errors.length > 0) {
      const inner = describe(error.errors[0])
      return { code: inner.code === 'ENGINE' ? 'UNREACHABLE' : inner.code, detail: inner.detail }
    }
    if (!(error instanceof Error)) return { code: 'ENGINE', detail: String(error).slice(0, 200) }
    return { code: systemCodeOf(error) ?? codesByName[error.name] ?? 'ENGINE', detail: error.message }
  }
  return {
    backend,
    failure,
    notRunning: (operation) =>
      failure({ code: 'NOT_RUNNING', operation, message: `${operation} needs a started backend: call start() first` }),
    classify: (operation, error, signal) => {
      if (signal?.aborted === true) return abortError(operation, signal, backend)
      if (isP2plError(error)) return error
      const { code, detail } = describe(error)
      return failure({ code, operation, cause: error, message: `${operation} failed: ${detail}` })
    }
  }
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
