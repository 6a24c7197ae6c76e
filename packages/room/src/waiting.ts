import type { CallOptions, Clock } from '@p2pl/core'
import { aborted, failure } from './errors.ts'

/**
 * Waits for `start` to call one of its functions, under the caller's signal and a timeout. `end` is called in every case. It
 * keeps the process alive.
 */
export async function waitFor<T>(
  clock: Clock,
  { signal, timeout }: CallOptions,
  defaultMs: number,
  operation: string,
  start: (settle: { resolve: (value: T) => void; reject: (error: unknown) => void }) => () => void
): Promise<T> {
  const ms = timeout ?? defaultMs
  if (typeof ms !== 'number' || !(ms > 0)) {
    throw failure(
      'INVALID_ARGUMENT',
      operation,
      `timeout must be a positive number of milliseconds, or Infinity, not ${String(ms)}`
    )
  }
  if (signal?.aborted === true) throw aborted(operation, signal)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = (): void => {
    if (signal !== undefined) reject(aborted(operation, signal))
  }
  const onTimeout = (): void => {
    reject(failure('TIMEOUT', operation, `${operation} had no answer within its timeout of ${ms} ms`))
  }
  const timer = ms === Infinity ? undefined : clock.setTimeout(onTimeout, ms, { hold: true })
  signal?.addEventListener('abort', onAbort, { once: true })
  const end = start({ resolve, reject })
  try {
    return await promise
  } finally {
    clock.clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    end()
  }
}
