import { type Backend, checkNumber } from '@p2pl/core/backend'
import { combine } from './legs/combinator.ts'
import type { Combined } from './legs/control.ts'
import { checkBackends, checkLegOptions, type LegOptions } from './legs/options.ts'

export interface FailoverOptions extends LegOptions {
  /** Milliseconds after which a read that has no answer asks the peers of the next backend, too. Default 1,000. */
  readonly stagger?: number | undefined
}

/**
 * Uses the first backend that works. One that fails is left, and used again once it has answered a probe; the start
 * succeeds if at least one starts. Topics are joined and blocks are stored on every backend that runs, since the peers of one
 * network find nothing in the store of another; reads find what any of them holds.
 *
 * @throws `INVALID_ARGUMENT` when the list or an option is wrong; `UNSUPPORTED` when the backends have nothing in common.
 */
export function failover(backends: readonly Backend[], options: FailoverOptions = {}): Combined {
  checkBackends('failover', backends)
  const checked = checkLegOptions('failover', options, ['stagger'])
  const stagger = checkNumber('failover', 'stagger', options.stagger, { min: 0 }, 1_000)
  return combine('failover', backends, { spread: 'first', quorum: 1, stagger, options: checked })
}
