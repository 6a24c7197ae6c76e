import { errorMessage } from '@p2pl/core/backend'
import type { Classified, ErrorCode } from '@p2pl/core/backend'

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
  ETIMEDOUT: 'UNREACHABLE'
}

/**
 * Makes the `classify` hook of an engine in the process. `codesByName`: error codes by the names of errors that the
 * engine's modules throw. The names are part of their API; the messages are not.
 */
export function classifier(
  codesByName: Readonly<Record<string, ErrorCode>> = {}
): (error: unknown) => Classified | undefined {
  const classify = (error: unknown): Classified | undefined => {
    // Several addresses were tried and all of them failed. The first error gives the reason.
    if (error instanceof AggregateError && error.errors.length > 0) {
      const first: unknown = error.errors[0]
      return {
        code: 'UNREACHABLE',
        message: errorMessage(first),
        ...classify(first)
      }
    }
    if (!(error instanceof Error)) return undefined
    const code = systemCodeOf(error) ?? codesByName[error.name]
    return code === undefined ? undefined : { code, message: error.message }
  }
  return classify
}

/** The system's error code, wherever it is in the chain of causes. */
function systemCodeOf(error: unknown): ErrorCode | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code
    const known = typeof code === 'string' ? systemCodes[code] : undefined
    if (known !== undefined) return known
  }
  return undefined
}
