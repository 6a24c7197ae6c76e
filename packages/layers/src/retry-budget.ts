import { checkClock, checkKeys, checkNumber, type Clock, invalidArgument, systemClock } from '@p2pl/core/backend'

export interface RetryBudgetOptions {
  /** Extra attempts allowed per call, from 0 to 1. Default 0.2: one for every five calls. */
  share?: number | undefined
  /** Extra attempts allowed in addition to that share, for peers that make few calls. Default 10. */
  minimum?: number | undefined
  clock?: Clock | undefined
}

/** Extra attempts that layers may make. Layers that get the same budget share it. */
export interface RetryBudget {
  /** Counts a call of the layer. */
  count(): void
  /** Whether one more attempt may be made. If so, it is counted. */
  take(): boolean
}

/** After this time calls and attempts count half. */
const halfLife = 10_000

/**
 * Limits extra attempts to a share of the calls, so a network on which every call fails gets only a few more calls than
 * without any layer. The counts fade, so after a quiet time a peer has its minimum again.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  checkKeys('budget', options, ['share', 'minimum', 'clock'])
  checkClock('budget', options.clock)
  const share = checkNumber('budget', 'share', options.share, { min: 0, max: 1 }, 0.2)
  const minimum = checkNumber('budget', 'minimum', options.minimum, { min: 0 }, 10)
  const { clock = systemClock } = options
  let calls = 0
  let extra = 0
  let last = clock.now()
  const fade = (): void => {
    const now = clock.now()
    const left = 2 ** ((last - now) / halfLife)
    calls *= left
    extra *= left
    last = now
  }
  return {
    count: () => {
      fade()
      calls++
    },
    take: () => {
      fade()
      // A rounding error must not refuse the last attempt.
      if (extra + 1 > share * calls + minimum + 1e-9) return false
      extra++
      return true
    }
  }
}

/** The given budget, or a new one for the layer alone. */
export function checkRetryBudget(layer: string, given: RetryBudget | undefined, clock: Clock): RetryBudget {
  if (given === undefined) return createRetryBudget({ clock })
  const { count, take } = (given ?? {}) as Partial<RetryBudget>
  if (typeof count === 'function' && typeof take === 'function') return given
  throw invalidArgument(layer, `${layer}: budget must come from createRetryBudget of @p2pl/layers/retry-budget`)
}
