import type { Backend } from '@p2pl/core/backend'
import { combine } from './legs/combinator.ts'
import type { Combined } from './legs/control.ts'
import { checkBackends, checkLegOptions, type LegOptions } from './legs/options.ts'

export type RaceOptions = LegOptions

/**
 * Asks all backends at once: the first good answer counts, and the other calls are ended. A message goes out on all
 * backends, and is delivered once, by the fastest. A block is stored on all backends; the call resolves when the first one
 * has it.
 *
 * @throws `INVALID_ARGUMENT` when the list or an option is wrong; `UNSUPPORTED` when the backends have nothing in common.
 */
export function race(backends: readonly Backend[], options: RaceOptions = {}): Combined {
  checkBackends('race', backends)
  const checked = checkLegOptions('race', options)
  return combine('race', backends, { spread: 'all', quorum: 1, stagger: 0, options: checked })
}
