import { isP2plError, P2plError } from '@p2pl/core/backend'
import { backendName } from './errors.ts'

/** The same error with the name of this backend. */
export function named(error: unknown): unknown {
  if (!isP2plError(error) || error.backend !== undefined) return error
  const { code, message, retryable, operation, cause } = error
  return new P2plError({ code, message, retryable, operation, cause, backend: backendName })
}

/** A part of the backend whose errors all have its name. */
export function withName<T extends object>(part: T): T {
  return new Proxy(part, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        try {
          const result: unknown = Reflect.apply(value, target, args)
          if (result instanceof Promise)
            return result.catch((error: unknown) => {
              throw named(error)
            })
          return isAsyncIterable(result) ? namedItems(result) : result
        } catch (error) {
          throw named(error)
        }
      }
    }
  })
}

async function* namedItems(items: AsyncIterable<unknown>): AsyncGenerator {
  try {
    yield* items
  } catch (error) {
    throw named(error)
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
