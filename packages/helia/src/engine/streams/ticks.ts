import { systemClock } from '@p2pl/core/backend'

/** Length of a tick (ms). */
const tick = 100

/**
 * The value of the promise, or `undefined` if it has not resolved after this many ticks of 100 ms. It counts ticks, not
 * time: a process that was blocked reads its sockets before the next tick, so it does not consider available data
 * missing.
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
