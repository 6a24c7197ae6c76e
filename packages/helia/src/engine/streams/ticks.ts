import { systemClock } from '@p2pl/core/backend'

/** Length of a tick (ms). */
const tick = 100

/**
 * What the promise resolves with, or `undefined` when it has not after so many ticks of 100 ms. It counts ticks, not time: a process
 * that stood still reads its sockets before the next tick, and takes nothing for missing that is there.
 */
export async function withinTicks<T>(ticks: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  let timer: unknown
  const count = (left: number): void => {
    if (left === 0) late.resolve(undefined)
    else timer = systemClock.setTimeout(() => count(left - 1), tick)
  }
  count(ticks)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    systemClock.clearTimeout(timer)
  }
}
