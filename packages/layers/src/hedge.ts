import {
  aroundCalls,
  checkClock,
  checkKeys,
  checkNumber,
  type Clock,
  type Layer,
  type LayerCall,
  type Operation,
  P2plError,
  systemClock,
  throwIfAborted
} from '@p2pl/core/backend'
import { type RetryBudget, checkRetryBudget } from './retry-budget.ts'
import { Durations, kindOf } from './internal/durations.ts'
import { checkOperations } from './internal/options.ts'

export interface HedgeOptions {
  /** The percentile of durations after which the second attempt starts, 0 to 1. Default 0.95. */
  percentile?: number | undefined
  /** Shortest wait in milliseconds. Default 10. */
  floor?: number | undefined
  /** Number of samples that are needed before there are second attempts, 1 to 128. Default 20. */
  minSamples?: number | undefined
  /**
   * The reads that are hedged. Default: all of them: `blocks.get`, `blocks.has`, `messages.peers`, `routing.findPeer`,
   * `routing.connections`.
   */
  operations?: readonly Operation[] | undefined
  /** Limits the second attempts. Default: a budget of the layer's own, with the defaults of `createRetryBudget`. */
  budget?: RetryBudget | undefined
  clock?: Clock | undefined
}

/** Calls that change nothing, so that making one twice does no harm. */
const reads: readonly Operation[] = [
  'blocks.get',
  'blocks.has',
  'messages.peers',
  'routing.findPeer',
  'routing.connections'
]

/**
 * Makes a read a second time when the first attempt takes longer than most, uses the first good answer, and ends the other
 * attempt. This helps if attempts are independent: several connections to a daemon, a `race` of backends. It does not help
 * with an engine that merges equal requests.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range, or an operation is not a read.
 */
export function hedge(options: HedgeOptions = {}): Layer {
  checkKeys('hedge', options, ['percentile', 'floor', 'minSamples', 'operations', 'budget', 'clock'])
  checkClock('hedge', options.clock)
  const percentile = checkNumber('hedge', 'percentile', options.percentile, { min: 0, max: 1 }, 0.95)
  const floor = checkNumber('hedge', 'floor', options.floor, { min: 0 }, 10)
  const minSamples = checkNumber('hedge', 'minSamples', options.minSamples, { min: 1, max: 128, integer: true }, 20)
  const hedged = checkOperations('hedge', options.operations, reads, reads)
  const { clock = systemClock } = options
  const budget = checkRetryBudget('hedge', options.budget, clock)
  const durations = new Durations()

  return aroundCalls({
    call: async (call, run) => {
      // The local store has only one answer.
      if (!hedged.has(call.operation) || call.options.local === true) return await run()
      budget.count()
      const kind = kindOf(call)
      const usual = durations.percentile(kind, percentile, minSamples)
      const timed = async (signal?: AbortSignal): ReturnType<typeof run> => {
        const begin = clock.now()
        const result = await run(signal && { signal })
        durations.record(kind, clock.now() - begin)
        return result
      }
      if (usual === undefined) return await timed()
      return await firstOf(call, timed, { clock, delay: Math.max(floor, usual), mayRepeat: () => budget.take() })
    }
  })
}

interface Wait {
  readonly clock: Clock
  readonly delay: number
  readonly mayRepeat: () => boolean
}

/** The first good answer of one or two attempts. If both fail, the first failure. */
async function firstOf<T>(
  call: LayerCall,
  attempt: (signal: AbortSignal) => Promise<T>,
  { clock, delay, mayRepeat }: Wait
): Promise<T> {
  const { operation, backend, options } = call
  const { signal } = options
  throwIfAborted(operation, signal, backend)
  const attempts = new AbortController()
  const onAbort = (): void => attempts.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let timer: unknown
  try {
    return await new Promise<T>((resolve, reject) => {
      let underWay = 0
      let failure: unknown
      const begin = (): void => {
        underWay++
        attempt(attempts.signal).then(resolve, (error: unknown) => {
          failure ??= error
          if (--underWay === 0) reject(failure)
        })
      }
      begin()
      timer = clock.setTimeout(() => {
        if (mayRepeat()) begin()
      }, delay)
    })
  } finally {
    clock.clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    attempts.abort(new P2plError({ code: 'ABORTED', operation, backend, message: `${operation} has another answer` }))
  }
}
