import { errorMessage, isP2plError, P2plError } from './errors.ts'

/** Converts what a backend threw to the one error type. A backend that breaks this promise must not make the peer break it, too. */
export function asTypedError(cause: unknown, operation: string, backend: string): P2plError {
  if (isP2plError(cause)) return cause
  const message = errorMessage(cause)
  return new P2plError({
    code: 'ENGINE',
    operation,
    backend,
    cause,
    message: `the backend "${backend}" failed in ${operation}: ${message}`
  })
}

/** Runs a call of the port. Everything that it throws is typed. */
export async function typed<T>(operation: string, backend: string, call: () => PromiseLike<T> | T): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw asTypedError(cause, operation, backend)
  }
}
