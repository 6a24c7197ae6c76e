import { invalidArgument, operations, type Operation } from '@p2pl/core/backend'

/** The operations that an option names. Default: all but `start` and `stop`. */
export function checkOperations(layer: string, given: readonly Operation[] | undefined): ReadonlySet<Operation> {
  if (given === undefined) return new Set(operations.filter((name) => name !== 'start' && name !== 'stop'))
  const wrong = given.find((name) => !operations.includes(name))
  if (wrong === undefined) return new Set(given)
  throw invalidArgument(layer, `${layer}: ${JSON.stringify(wrong)} is no operation: ${operations.join(', ')}`)
}
