import { abortError, isP2plError, P2plError, type ErrorCode } from '@p2pl/core/backend'

export const backendName = 'helia'

/** What the modules of the engine throw, by the name of the error. Names are part of their API; messages are not. */
const codesByName: Readonly<Record<string, ErrorCode>> = {
  ConnectionClosedError: 'UNREACHABLE',
  ConnectionClosingError: 'UNREACHABLE',
  ConnectionFailedError: 'UNREACHABLE',
  DialDeniedError: 'UNREACHABLE',
  DialError: 'UNREACHABLE',
  EncryptionFailedError: 'UNREACHABLE',
  InvalidCryptoExchangeError: 'UNREACHABLE',
  InvalidCIDError: 'INVALID_ARGUMENT',
  InvalidMultiaddrError: 'INVALID_ARGUMENT',
  InvalidPeerIdError: 'INVALID_ARGUMENT',
  LimitedConnectionError: 'UNREACHABLE',
  MuxerClosedError: 'UNREACHABLE',
  MuxerUnavailableError: 'UNREACHABLE',
  NoValidAddressesError: 'UNREACHABLE',
  NotFoundError: 'NOT_FOUND',
  NotStartedError: 'NOT_RUNNING',
  ProtocolError: 'PROTOCOL',
  QueueFullError: 'OVERLOADED',
  StreamResetError: 'UNREACHABLE',
  TimeoutError: 'TIMEOUT',
  TooManyOutboundProtocolStreamsError: 'OVERLOADED',
  UnexpectedPeerError: 'UNREACHABLE',
  UnsupportedListenAddressesError: 'INVALID_ARGUMENT',
  UnsupportedProtocolError: 'PROTOCOL'
}

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

/**
 * Classifies what an operation threw. A signal of the caller that has fired wins: the engine's own word for that is
 * one of many, and never the signal's reason.
 */
export function classify(operation: string, error: unknown, signal?: AbortSignal): P2plError {
  if (signal?.aborted === true) return abortError(operation, signal, backendName)
  if (isP2plError(error)) return error
  const { code, detail } = describe(error)
  return failure({ code, operation, cause: error, message: `${operation} failed: ${detail}` })
}

function describe(error: unknown): { code: ErrorCode; detail: string } {
  // Several addresses were tried: all of them failed, and the first says why.
  if (error instanceof AggregateError && error.errors.length > 0) {
    const inner = describe(error.errors[0])
    return { code: inner.code === 'ENGINE' ? 'UNREACHABLE' : inner.code, detail: inner.detail }
  }
  if (!(error instanceof Error)) return { code: 'ENGINE', detail: String(error).slice(0, 200) }
  const systemCode = systemCodeOf(error)
  if (systemCode !== undefined) return { code: systemCode, detail: error.message }
  return { code: codesByName[error.name] ?? 'ENGINE', detail: error.message }
}

const systemCodes: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: 'LOCKED',
  EACCES: 'STORAGE',
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
