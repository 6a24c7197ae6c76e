/** Time and timers. Replaced by virtual time in the simulator. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `callback` once after `ms` milliseconds. Does not keep the process alive by itself. */
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => {
    const timer: unknown = globalThis.setTimeout(callback, Math.min(ms, 0x7fffffff))
    // Node only: a deadline that is still pending must not hold up the end of the process.
    if (typeof timer === 'object' && timer !== null) (timer as { unref?: () => void }).unref?.()
    return timer
  },
  clearTimeout: (timer) => {
    globalThis.clearTimeout(timer as number)
  }
}
