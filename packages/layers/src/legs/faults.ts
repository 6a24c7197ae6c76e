import { type ErrorCode, isP2plError, P2plError } from '@p2pl/core/backend'

/** Mistakes of the caller, and errors that any other leg would give as well. */
const final: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABORTED',
  'INVALID_ARGUMENT',
  'TOO_LARGE',
  'UNSUPPORTED',
  'PINNED'
])
/** The engine cannot be used. */
const faults: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TIMEOUT',
  'UNCERTAIN',
  'UNREACHABLE',
  'PROTOCOL',
  'NOT_RUNNING',
  'UNAUTHORIZED',
  'LOCKED',
  'MISSING_DEPENDENCY',
  'ENGINE'
])
/** Errors of these calls may be about a remote peer, so the leg is examined before it is judged. */
const remote: ReadonlySet<string> = new Set([
  'blocks.get',
  'blocks.pin',
  'routing.provide',
  'routing.unprovide',
  'routing.findProviders',
  'routing.findPeer',
  'routing.connect',
  'routing.disconnect'
])

/** Whether another leg may give a different answer. */
export function movesOn(error: unknown): boolean {
  return !isP2plError(error) || !final.has(error.code)
}

/** What an error says about its leg. */
export function judge(error: unknown, operation: string): 'sound' | 'suspect' | 'broken' {
  if (isP2plError(error) && !faults.has(error.code)) return 'sound'
  return remote.has(operation) && !isP2plError(error, 'NOT_RUNNING') ? 'suspect' : 'broken'
}

/** The most telling error: a caller's mistake rather than the state of a leg, otherwise the first error. */
export function mostTelling(errors: readonly unknown[]): unknown {
  return errors.find((error) => !movesOn(error)) ?? errors[0]
}

/** No leg runs. */
export function nothingWorks(): P2plError {
  return new P2plError({ code: 'UNREACHABLE', message: 'none of its backends works now; each is tried again' })
}
