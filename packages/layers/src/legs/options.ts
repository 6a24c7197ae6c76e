import {
  type Backend,
  checkBackend,
  checkClock,
  checkFunction,
  checkKeys,
  checkNumber,
  type Clock,
  invalidArgument,
  systemClock
} from '@p2pl/core/backend'

/** The options of every combinator. */
export interface LegOptions {
  /**
   * Milliseconds without an answer after which the leg of a call is probed. A leg that does not answer the probe within the
   * same time is taken out of use. Default 5,000.
   */
  readonly timeout?: number | undefined
  /** Milliseconds between two probes of a leg that is in use. Default 5,000. */
  readonly probeEvery?: number | undefined
  /** Milliseconds before a leg that is out of use is tried again for the first time. Doubles with each attempt. Default 1,000. */
  readonly baseDelay?: number | undefined
  /** The longest of these pauses in milliseconds. Default 60,000. */
  readonly maxDelay?: number | undefined
  readonly clock?: Clock | undefined
  /** A number in [0, 1). */
  readonly random?: (() => number) | undefined
}

export type CheckedLegOptions = { readonly [K in keyof LegOptions]-?: NonNullable<LegOptions[K]> }

const names = ['timeout', 'probeEvery', 'baseDelay', 'maxDelay', 'clock', 'random']

/** Throws `INVALID_ARGUMENT`. @param more - Options that this combinator has in addition to the common ones. */
export function checkLegOptions(
  combinator: string,
  options: LegOptions,
  more: readonly string[] = []
): CheckedLegOptions {
  checkKeys(combinator, options, [...names, ...more])
  checkClock(combinator, options.clock)
  checkFunction(combinator, 'random', options.random)
  const milliseconds = (name: 'timeout' | 'probeEvery' | 'baseDelay' | 'maxDelay', otherwise: number): number =>
    checkNumber(combinator, name, options[name], { min: 1 }, otherwise)
  return {
    timeout: milliseconds('timeout', 5_000),
    probeEvery: milliseconds('probeEvery', 5_000),
    baseDelay: milliseconds('baseDelay', 1_000),
    maxDelay: milliseconds('maxDelay', 60_000),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random
  }
}

export function checkBackends(combinator: string, backends: readonly Backend[]): void {
  if (!Array.isArray(backends) || backends.length === 0) {
    throw invalidArgument(
      combinator,
      `${combinator}: give it a list of backends, such as ${combinator}([first, second])`
    )
  }
  for (const [index, backend] of backends.entries()) {
    checkBackend(combinator, `entry ${index} of the list`, backend)
    if (backends.indexOf(backend) !== index) {
      throw invalidArgument(combinator, `${combinator}: entry ${index} is in the list already: make a backend for each`)
    }
  }
}
