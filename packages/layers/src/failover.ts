import { type Backend, checkNumber } from '@p2pl/core/backend'
import { combine } from './legs/combinator.ts'
import type { Combined } from './legs/control.ts'
import { checkBackends, checkLegOptions, type LegOptions } from './legs/options.ts'

export interface FailoverOptions extends LegOptions {
  /** Milliseconds after which a read without an answer also asks the peers of the next backend. Default 1,000. */
  readonly stagger?: number | undefined
}

/**
 * Uses the first backend that works. A backend that fails is taken out of use, and used again once it has answered a probe.
 * The start succeeds if at least one backend starts. Topics are joined and blocks are stored on every backend that runs,
 * because the peers of one network find nothing in the store of another. Reads find what any of the stores holds.
 *
 * @throws `INVALID_ARGUMENT` when the list or an option is wrong; `UNSUPPORTED` when the backends have nothing in common.
 */
export function failover(backends: readonly Backend[], options: FailoverOptions = {}): Combined {
  checkBackends('failover', backends)
  const checked = checkLegOptions('failover', options, ['stagger'])
  const stagger = checkNumber('failover', 'stagger', options.stagger, { min: 0 }, 1_000)
  return combine('failover', backends, { spread: 'first', quorum: 1, stagger, options: checked })
}
