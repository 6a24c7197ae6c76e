import { abortError, type Clock } from '@p2pl/core/backend'
import type { Call } from './call.ts'

/** Resolves after `ms` on the clock, rejects as soon as the caller's signal fires. */
export function sleep(clock: Clock, ms: number, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = call
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(abortError(call.operation, signal as AbortSignal, call.backend))
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
