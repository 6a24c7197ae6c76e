import { type Backend, checkNumber } from '@p2pl/core/backend'
import { combine } from './legs/combinator.ts'
import type { Combined } from './legs/control.ts'
import { checkBackends, checkLegOptions, type LegOptions } from './legs/options.ts'

export interface MirrorOptions extends LegOptions {
  /** How many backends must have stored a block, or pinned it, before the call resolves: 1 to all. Default: all. */
  readonly quorum?: number | undefined
  /** Milliseconds after which a read without an answer also asks the peers of the next backend. Default 1,000. */
  readonly stagger?: number | undefined
}

/**
 * Writes to all backends and reads from the first that has the block. If fewer than `quorum` backends take a write, it
 * rejects with a retryable error. Messages go out on all backends, and are delivered once.
 *
 * @throws `INVALID_ARGUMENT` when the list or an option is wrong; `UNSUPPORTED` when the backends have nothing in common.
 */
export function mirror(backends: readonly Backend[], options: MirrorOptions = {}): Combined {
  checkBackends('mirror', backends)
  const checked = checkLegOptions('mirror', options, ['quorum', 'stagger'])
  const all = backends.length
  const quorum = checkNumber('mirror', 'quorum', options.quorum, { min: 1, max: all, integer: true }, all)
  const stagger = checkNumber('mirror', 'stagger', options.stagger, { min: 0 }, 1_000)
  return combine('mirror', backends, { spread: 'all', quorum, stagger, options: checked })
}
