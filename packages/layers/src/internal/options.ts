import { invalidArgument, operations, type Operation } from '@p2pl/core/backend'

const all: readonly Operation[] = operations.filter((name) => name !== 'start' && name !== 'stop')

/** The operations that an option names. Each must be one of `allowed`. Default: `otherwise`. */
export function checkOperations(
  layer: string,
  given: readonly Operation[] | undefined,
  allowed: readonly Operation[] = operations,
  otherwise: readonly Operation[] = all
): ReadonlySet<Operation> {
  if (given === undefined) return new Set(otherwise)
  if (!Array.isArray(given))
    throw invalidArgument(layer, `${layer}: operations must be a list of ${allowed.join(', ')}`)
  const wrong = given.find((name) => !allowed.includes(name))
  if (wrong === undefined) return new Set(given)
  const problem = operations.includes(wrong) ? 'does not fit this layer, which takes' : 'is no operation:'
  throw invalidArgument(layer, `${layer}: ${JSON.stringify(wrong)} ${problem} ${allowed.join(', ')}`)
}
