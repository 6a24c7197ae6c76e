import { isP2plError, publicKeyFromPeerId } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { maxAmount } from './limits.ts'

// Checks shared by decoding (bytes of others) and encoding (input of the user).

const encoder = new TextEncoder()
// Control characters, and those that change the direction of text: a memo is shown in terminals.
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/

export function invalid(message: string): LedgerError {
  return new LedgerError('INVALID_ARGUMENT', message)
}

/** Printable, well-formed text of 1 to `maxBytes` bytes of UTF-8. */
export function checkText(field: string, value: unknown, maxBytes: number): string {
  if (typeof value !== 'string') throw invalid(`${field} must be text`)
  if (value.length === 0 || encoder.encode(value).byteLength > maxBytes)
    throw invalid(`${field} must have 1 to ${maxBytes} bytes of UTF-8`)
  if (!value.isWellFormed() || unprintable.test(value))
    throw invalid(`${field} must be printable text without control characters`)
  return value
}

export function checkOptionalText(field: string, value: unknown, maxBytes: number): string | undefined {
  return value === undefined ? undefined : checkText(field, value, maxBytes)
}

/** The id of an account: the peer id of its ed25519 key, which has one spelling. */
export function checkAccount(field: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(`${field} must be an account id (12D3KooW…)`)
  try {
    publicKeyFromPeerId(value)
    return value
  } catch (error) {
    if (isP2plError(error)) throw invalid(`${field}: ${error.message}; "status" shows an account's id`)
    throw error
  }
}

/** A whole number in [0, 2^53 − 1]. */
export function checkCount(field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0))
    throw invalid(`${field} must be a whole number, 0 or more`)
  return value
}

/** A whole amount in [`least`, 2^63 − 1], from a number or bigint. */
export function checkAmount(field: string, value: unknown, least: bigint): bigint {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!whole || value < least || value > maxAmount)
    throw invalid(`${field} must be a whole number from ${least} to ${maxAmount}`)
  return BigInt(value)
}

/** Like {@link checkAmount}, for decimal text from a person or a program. */
export function parseAmount(field: string, text: string, least = 1n): bigint {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text))
    throw invalid(`${field} must be a whole number from ${least} to ${maxAmount}, not "${text.slice(0, 40)}"`)
  return checkAmount(field, BigInt(text), least)
}

/** DAG-CBOR has one form per number: small ones are numbers, so that decoding returns what was encoded. */
export function amountToCbor(amount: bigint): number | bigint {
  return amount <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(amount) : amount
}

/** A plain object with only these keys. */
export function checkKeys(field: string, value: unknown, allowed: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw invalid(`${field} must be a map`)
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) throw invalid(`${field} has the unknown key "${key.slice(0, 40)}"`)
  return value as Record<string, unknown>
}
