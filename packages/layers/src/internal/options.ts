import { invalidArgument } from '@p2pl/core/backend'
import { type Operation, operations } from '../operations.ts'

/** Rejects options that the layer does not have: a mistyped one would be as good as none. */
export function checkNames(layer: string, options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw invalidArgument(layer, `${layer}: ${JSON.stringify(name)} is not known: ${names.join(', ')}`)
    }
  }
}

/** The operations that a layer is about; rejects names that are none. */
export function operationsOption(layer: string, given: readonly Operation[] | undefined): ReadonlySet<Operation> {
  if (given === undefined) {
    return new Set(operations.filter((operation) => operation !== 'start' && operation !== 'stop'))
  }
  const wrong = given.find((operation) => !operations.includes(operation))
  if (wrong === undefined) return new Set(given)
  throw invalidArgument(layer, `${layer}: ${JSON.stringify(wrong)} is no operation: ${operations.join(', ')}`)
}

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
