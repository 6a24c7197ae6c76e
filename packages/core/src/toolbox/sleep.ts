import { type Clock, systemClock, type TimerOptions } from '../clock.ts'

export interface SleepOptions extends TimerOptions {
  readonly clock?: Clock | undefined
  /** Ends the wait: the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Resolves after `ms` milliseconds. */
export async function sleep(ms: number, options: SleepOptions = {}): Promise<void> {
  const { clock = systemClock, signal } = options
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = clock.setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      },
      ms,
      options
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
