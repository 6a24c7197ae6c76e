import type { Engine } from './engine.ts'
import { classify } from './errors.ts'

/** Fires when the caller's signal does, or when the backend stops. */
export function eitherSignal(engine: Engine, signal: AbortSignal | undefined): AbortSignal {
  return signal === undefined ? engine.life : AbortSignal.any([signal, engine.life])
}

/** Waits no longer than until the signal fires. What is waited for goes on unheard. */
export async function orAborted<T>(operation: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(classify(operation, undefined, signal))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
      .catch(() => {})
  })
}
