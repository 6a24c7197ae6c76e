import { errorMessage } from '@p2pl/core/backend'
import { isP2plError } from '@p2pl/core'

export type LedgerErrorCode =
  /** The rules refuse the entry: overdraft, used sequence number. */
  | 'REJECTED'
  /** An argument is wrong. The message names it and says what is allowed. */
  | 'INVALID_ARGUMENT'
  /** No such entry, account, content or ledger. */
  | 'NOT_FOUND'
  /** The checked data contradicts itself: it is damaged or forged. */
  | 'INVALID_CONTENT'
  /** The request lacks the right token. */
  | 'UNAUTHORIZED'
  /** The request comes from a page or host without permission. */
  | 'FORBIDDEN'
  /** The body exceeds its limit. */
  | 'TOO_LARGE'
  /** The body of a request did not arrive in time. */
  | 'REQUEST_TIMEOUT'
  /** The resource does not have this method. */
  | 'METHOD_NOT_ALLOWED'
  /** Too many requests of this kind at once. */
  | 'OVERLOADED'
  /** A node that should be running does not answer, or another process holds the folder. */
  | 'UNAVAILABLE'
  /** A file or folder cannot be read or written: permissions, a full disk. */
  | 'STORAGE'

/**
 * An error of the ledger itself. Errors of the network and the store are `P2plError`s; {@link describeError} handles
 * both.
 */
export class LedgerError extends Error {
  override readonly name: string = 'LedgerError'
  readonly code: LedgerErrorCode

  constructor(code: LedgerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

export function isLedgerError(value: unknown, code?: LedgerErrorCode): value is LedgerError {
  return value instanceof LedgerError && (code === undefined || value.code === code)
}

export interface ErrorDescription {
  readonly code: string
  readonly message: string
}

/** Any thrown value as a code and a sentence; `INTERNAL` for an unexpected one. */
export function describeError(error: unknown): ErrorDescription {
  if (isLedgerError(error) || isP2plError(error)) return { code: error.code, message: error.message }
  return { code: 'INTERNAL', message: errorMessage(error) }
}
