import type { Clock } from '@p2pl/core/backend'
import type { Medium } from '../network/medium.ts'

export interface ClockParts {
  readonly medium: Medium
  /** The initial wall time of a host without skew. */
  readonly epoch: number
  /** How far the wall clock is ahead now, in milliseconds. */
  readonly skew: () => number
  /** The start of its monotonic time, in virtual time. */
  readonly start: number
  /** Whether the process is gone, and its timers with it. */
  readonly dead: () => boolean
}

/** Virtual time as one process sees it. Faults of the wall clock affect neither its monotonic time nor its timers. */
export function createClock({ medium, epoch, skew, start, dead }: ClockParts): Clock {
  const alive = (callback: () => void) => (): boolean => {
    if (dead()) return false
    callback()
    return true
  }
  return {
    now: () => medium.now - start,
    wall: () => epoch + medium.now + skew(),
    setTimeout: (callback, ms) => medium.after(ms > 0 ? ms : 0, alive(callback)),
    nextTurn: (callback) => {
      medium.nextTurn(alive(callback))
    },
    clearTimeout: (timer) => {
      if (timer !== undefined && timer !== null) medium.queue.cancel(timer as ReturnType<Medium['after']>)
    }
  }
}
