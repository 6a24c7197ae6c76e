import { describeError, type ErrorDescription } from '../errors.ts'

const statuses: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  REJECTED: 409,
  TOO_LARGE: 413,
  INVALID_CONTENT: 422,
  UNSUPPORTED: 501,
  NO_PEERS: 502,
  UNREACHABLE: 502,
  PROTOCOL: 502,
  NOT_RUNNING: 503,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
  STORAGE: 507,
  TIMEOUT: 504
}

/** The answer to a failed request. The client does not learn the details of an unexpected error. */
export function failureOf(error: unknown): { status: number; error: ErrorDescription } {
  const description = describeError(error)
  const status = statuses[description.code] ?? 500
  if (description.code !== 'INTERNAL') return { status, error: description }
  return { status, error: { code: 'INTERNAL', message: 'the node failed; its log says why' } }
}
