import { invalidArgument } from '@p2pl/core/backend'

/** Rejects what is not a number within the range; `undefined` gives the default. */
export function numberOption(
  layer: string,
  name: string,
  value: unknown,
  range: { default: number; min: number; max?: number; integer?: boolean }
): number {
  if (value === undefined) return range.default
  const max = range.max ?? Infinity
  if (
    typeof value !== 'number' ||
    !(value >= range.min && value <= max) ||
    (range.integer === true && !Number.isSafeInteger(value))
  ) {
    const kind = range.integer === true ? 'a whole number' : 'a number'
    throw invalidArgument(
      layer,
      `${layer}: ${name} must be ${kind} ${max === Infinity ? `of at least ${range.min}` : `from ${range.min} to ${max}`}`
    )
  }
  return value
}
