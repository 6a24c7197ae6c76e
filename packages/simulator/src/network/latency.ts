import { failure } from '../errors.ts'
import type { Random } from '../random.ts'

/**
 * The time from host to host, in milliseconds: constant, uniform, or log-normal as in real networks. With log-normal, half
 * of the times are below `median`, with a tail that grows with `sigma` (0.5 is calm, 1 is wild).
 */
export type Latency =
  | number
  | { readonly min: number; readonly max: number }
  | { readonly median: number; readonly sigma: number }

export function latencySampler(latency: Latency): (random: Random) => number {
  if (typeof latency === 'number') {
    check(latency)
    return () => latency
  }
  if ('min' in latency) {
    const { min, max } = latency
    check(min)
    check(max - min)
    return (random) => min + random() * (max - min)
  }
  const { median, sigma } = latency
  check(median)
  check(sigma)
  return (random) => median * Math.exp(sigma * gaussian(random))
}

/** One of the two values of a Box-Muller transform. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function check(value: number): void {
  if (!Number.isFinite(value) || value < 0)
    throw failure(
      'INVALID_ARGUMENT',
      'createSimulator',
      'a latency is made of finite numbers from 0, and min is not above max'
    )
}
