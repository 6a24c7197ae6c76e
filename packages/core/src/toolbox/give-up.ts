import { type Clock, systemClock, type TimerOptions } from '../clock.ts'

export interface GiveUpOptions extends TimerOptions {
  readonly clock?: Clock | undefined
}

/**
 * Calls `callback` once after `ms` milliseconds, after the data that has arrived by then was read. A process that was blocked
 * finds its timers due before it reads, and would blame others for its own silence. Returns a function that cancels the call.
 */
export function giveUpAfter(ms: number, callback: () => void, options: GiveUpOptions = {}): () => void {
  const { clock = systemClock } = options
  let isCancelled = false
  const timer = clock.setTimeout(
    () =>
      clock.nextTurn(() => {
        if (!isCancelled) callback()
      }),
    ms,
    options
  )
  return () => {
    isCancelled = true
    clock.clearTimeout(timer)
  }
}
