import { type BackendDefinition, errorMessage, isP2plError, withFields } from '@p2pl/core/backend'
import { classifier } from '@p2pl/embedded'
import { backendName, failure } from './tools/failure.ts'

export const classify: NonNullable<BackendDefinition['classify']> = classifier()

/** Converts any failure of a call beyond the port to the one error type. */
export function typed(operation: string, error: unknown): Error {
  if (isP2plError(error)) return withFields(error, { backend: backendName, operation })
  const known = classify(error, operation)
  const said = errorMessage(error)
  return failure({ code: known?.code ?? 'ENGINE', operation, cause: error, message: `${operation} failed: ${said}` })
}
