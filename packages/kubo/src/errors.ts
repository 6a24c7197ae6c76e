import { abortError, type ErrorCode, errorMessage, isP2plError, P2plError } from '@p2pl/core/backend'
import { meaningOf } from './daemon-texts.ts'

/** The reason with which calls end when the daemon is no longer used. */
export const stopped: Error = new Error('the daemon is no longer used')

/** An answer of the daemon with a status other than 200, or an error that it reported after its first bytes. */
export class RpcStatusError extends Error {
  override readonly name: string = 'RpcStatusError'
  /** The HTTP status; 200 if the daemon reported the error after it had begun to answer. */
  readonly status: number
  /** The target of a redirect, without credentials. */
  readonly location: string | undefined

  constructor(status: number, message: string, location?: string) {
    super(message)
    this.status = status
    this.location = location
  }
}

export interface FailureExtras {
  readonly cause?: unknown
  readonly retryable?: boolean | undefined
}

export function failure(code: ErrorCode, operation: string, message: string, extras: FailureExtras = {}): P2plError {
  return new P2plError({ code, operation, message, ...extras })
}

export function notRunning(operation: string): P2plError {
  return failure('NOT_RUNNING', operation, `${operation} was called before start had resolved or after stop`)
}

/**
 * Converts any failure of a call to the one error type. `signal`: the caller's signal; `address`: where the daemon was
 * expected.
 */
export function classify(operation: string, error: unknown, signal?: AbortSignal, address?: string): P2plError {
  if (isP2plError(error)) return error
  if (error === stopped) return notRunning(operation)
  if (signal?.aborted === true) return signal.reason === stopped ? notRunning(operation) : abortError(operation, signal)
  return error instanceof RpcStatusError
    ? classifyStatus(operation, error)
    : classifyTransport(operation, error, address)
}

const certificateCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_CERT|HOSTNAME_MISMATCH|ERR_SSL|ERR_OSSL|EPROTO/
const nobodyThere = /^(?:ECONNREFUSED|ENOENT|ENOTFOUND)$/
const neverSent =
  /^(?:ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)$/

/** Whether the daemon may have done what a call asked for: the call was sent, but its answer is missing. */
export function isFateUnknown({ code, cause }: P2plError): boolean {
  if (code !== 'TIMEOUT' && code !== 'UNREACHABLE' && code !== 'PROTOCOL') return false
  if (cause instanceof RpcStatusError) return cause.status >= 500 || cause.status === 408
  const { code: causeCode } = namesOf(cause)
  return !neverSent.test(causeCode) && !certificateCodes.test(causeCode)
}

function classifyStatus(operation: string, error: RpcStatusError): P2plError {
  const { status, message } = error
  const fail = (code: ErrorCode, text: string, retryable?: boolean): P2plError =>
    failure(code, operation, text, { cause: error, ...(retryable === undefined ? {} : { retryable }) })
  if (status >= 300 && status < 400)
    return fail(
      'PROTOCOL',
      `the address of the daemon redirects ${operation} to ${error.location ?? 'another address'} (${status}): set "url" to the address of the RPC API itself`,
      false
    )
  if (status === 401 || status === 403)
    return fail(
      'UNAUTHORIZED',
      `the daemon refused ${operation} (${status} ${message}): set "authorization" to a secret that API.Authorizations of the daemon lists`
    )
  if (status === 404 || status === 405)
    return fail(
      'PROTOCOL',
      `there is no Kubo RPC API at this address (${status} for ${operation}): check "url" and its path`,
      false
    )
  if (status === 408 || status === 504) return fail('TIMEOUT', `${operation}: ${status} ${message}`)
  if (status === 429) return fail('OVERLOADED', `${operation}: ${status} ${message}`)
  if (status === 502 || status === 503) return fail('UNREACHABLE', `${operation}: ${status} ${message}`)
  const meaning = meaningOf(message)
  if (meaning === undefined) return fail('ENGINE', `the daemon failed at ${operation}: ${message}`)
  const remedy = meaning.remedy === undefined ? '' : `; remedy: ${meaning.remedy}`
  return fail(meaning.code, `the daemon refused ${operation}: ${message}${remedy}`)
}

function classifyTransport(operation: string, error: unknown, address?: string): P2plError {
  const { name, code } = namesOf(error)
  const text = errorMessage(error)
  const fail = (as: ErrorCode, message: string, retryable?: boolean): P2plError =>
    failure(as, operation, message, { cause: error, ...(retryable === undefined ? {} : { retryable }) })
  if (name === 'HTTPParserError' || /^HPE_|HEADERS_OVERFLOW/.test(code))
    return fail('PROTOCOL', `the answer to ${operation} is not HTTP: ${text}`)
  if (certificateCodes.test(code))
    return fail('UNREACHABLE', `no TLS connection for ${operation}: ${text}; check "url" and "tls.ca"`, false)
  if (code === 'EACCES' || code === 'EPERM')
    return fail('UNAUTHORIZED', `this user may not open the socket of the daemon: ${text}`)
  const where = address === undefined ? '' : ` at ${address}`
  const remedy =
    operation === 'start' && nobodyThere.test(code)
      ? '; start it with "ipfs daemon", set "url" to where it listens, or have one managed: daemon: { repo: "a folder" }'
      : ''
  return fail('UNREACHABLE', `the daemon cannot be reached${where} for ${operation}: ${text || code}${remedy}`)
}

function namesOf(error: unknown): { name: string; code: string } {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
  return { name: typeof name === 'string' ? name : '', code: typeof code === 'string' ? code : '' }
}
