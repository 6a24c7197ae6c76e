import type { Clock } from '@p2pl/core/backend'
import type { Medium } from '../network/medium.ts'

/** Virtual time as one process sees it. */
export interface SimulatedClock extends Clock {
  /** Milliseconds that only ever grow, of no relation to any calendar. No fault of a wall clock touches it. */
  now(): number
  /** Milliseconds since the Unix epoch, as the host believes. It may be wrong, and jump in both directions. */
  wall(): number
}

export interface ClockParts {
  readonly medium: Medium
  /** What the wall clock of a host without skew shows at the beginning. */
  readonly epoch: number
  /** How far the wall clock is ahead now, milliseconds. */
  readonly skew: () => number
  /** Whether timers fire no more. */
  readonly dead: () => boolean
}

export function createClock({ medium, epoch, skew, dead }: ClockParts): SimulatedClock {
  return {
    now: () => epoch + medium.now,
    wall: () => epoch + medium.now + skew(),
    setTimeout: (callback, ms) =>
      medium.after(ms > 0 ? ms : 0, () => {
        if (dead()) return false
        callback()
        return true
      }),
    clearTimeout: (timer) => {
      if (timer !== undefined && timer !== null) medium.queue.cancel(timer as ReturnType<Medium['after']>)
    }
  }
}
