import { invalidArgument } from '../errors.ts'

/**
 * Throws `INVALID_ARGUMENT` unless `options` is an object (or absent) whose keys are all in `known`, since a mistyped
 * option would silently have no effect. @param operation - The call or factory that took them, for the message.
 */
export function checkKeys(operation: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isPromise(options)) {
    throw invalidArgument(operation, `${operation}: the options must be an object, not ${describe(options)}`)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw invalidArgument(
        operation,
        `${operation}: there is no option ${JSON.stringify(key.slice(0, 80))}; the options are ${known.join(', ')}`
      )
    }
  }
}

export interface NumberRange {
  readonly min: number
  /** Default: no limit. */
  readonly max?: number | undefined
  readonly integer?: boolean | undefined
}

/** The number. Throws `INVALID_ARGUMENT` if it is not a number within the range. `undefined` gives `otherwise`. */
export function checkNumber<D extends number | undefined>(
  operation: string,
  name: string,
  value: unknown,
  { min, max = Infinity, integer = false }: NumberRange,
  otherwise: D
): number | D {
  if (value === undefined) return otherwise
  const fits = typeof value === 'number' && value >= min && value <= max && (!integer || Number.isSafeInteger(value))
  if (fits) return value
  const kind = integer ? 'a whole number' : 'a number'
  // The smallest number above zero stands for "more than nothing".
  const positive = min === Number.MIN_VALUE
  const least = positive ? 'above 0' : `of at least ${min}`
  const range = max === Infinity ? least : positive ? `above 0, at most ${max}` : `from ${min} to ${max}`
  throw invalidArgument(operation, `${operation}: ${name} must be ${kind} ${range}, not ${describe(value)}`)
}

/** The word. Throws `INVALID_ARGUMENT` if it is not one of `known`. `undefined` gives `otherwise`. */
export function checkWord<W extends string>(
  operation: string,
  name: string,
  value: unknown,
  known: readonly W[],
  otherwise: W
): W {
  if (value === undefined) return otherwise
  if (known.includes(value as W)) return value as W
  const words = known.map((word) => JSON.stringify(word)).join(' or ')
  throw invalidArgument(operation, `${operation}: ${name} must be ${words}, not ${describe(value)}`)
}

/** `INVALID_ARGUMENT` for anything but true, false and `undefined`: the text "false" would count as true. */
export function checkFlag(operation: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw invalidArgument(operation, `${operation}: ${name} must be true or false, not ${describe(value)}`)
}

/** `INVALID_ARGUMENT` for anything but a function and `undefined`. */
export function checkFunction(operation: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw invalidArgument(operation, `${operation}: ${name} must be a function, not ${describe(value)}`)
}

/** `INVALID_ARGUMENT` for a value that lacks one of the methods; `undefined` is fine. */
export function checkMethods(operation: string, name: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return
  const missing = methods.find((method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function')
  if (missing === undefined) return
  const fix = `give an object with ${methods.join(', ')}`
  throw invalidArgument(operation, `${operation}: ${name} has no method "${missing}": ${fix}`)
}

export function checkClock(operation: string, clock: unknown): void {
  checkMethods(operation, 'clock', clock, ['now', 'wall', 'setTimeout', 'clearTimeout', 'nextTurn'])
}

/** A value for a message: short, and never a large or secret structure. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) {
    return String(value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object') return `a ${typeof value}`
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object'
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name.slice(0, 80)}`
}

export function isPromise(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
