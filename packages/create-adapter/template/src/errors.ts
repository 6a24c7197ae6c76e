import type { Classified } from '@p2pl/core/backend'

/** The meaning of an engine's error. An error that is unknown here becomes `ENGINE`, which is not retryable. */
export function classify(error: unknown): Classified | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  switch (error.code) {
    case 'EADDRINUSE':
      return { code: 'LOCKED', message: `${error.message}: another process listens there; give another address` }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { code: 'INVALID_ARGUMENT', message: `${error.message}: give an address of this machine` }
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EPIPE':
    case 'ETIMEDOUT':
      return { code: 'UNREACHABLE' }
    default:
      return undefined
  }
}
