import {
  aroundCalls,
  backoff,
  checkClock,
  checkFunction,
  checkKeys,
  checkNumber,
  type Clock,
  isP2plError,
  type Layer,
  type LayerCall,
  type Operation,
  type P2plError,
  systemClock,
  withFields
} from '@p2pl/core/backend'
import { type RetryBudget, checkRetryBudget } from './retry-budget.ts'
import { checkOperations } from './internal/options.ts'
import { pause } from './internal/pause.ts'

export interface RetryOptions {
  /** Maximum number of attempts, including the first; at least 1. Default 3. */
  attempts?: number | undefined
  /** Milliseconds before the second attempt. Doubles before each further attempt. Default 100. */
  baseDelay?: number | undefined
  /** Longest pause in milliseconds. Default 5,000. */
  maxDelay?: number | undefined
  /** The random part of a pause, 0 to 1. Default 1: anything from none to the whole pause. */
  jitter?: number | undefined
  /** Which operations are retried. Default: all but `start` and `stop`. */
  operations?: readonly Operation[] | undefined
  /** Limits the attempts of all calls together. Default: a budget of the layer's own, with the defaults of `createRetryBudget`. */
  budget?: RetryBudget | undefined
  clock?: Clock | undefined
  /** A number in [0, 1). */
  random?: (() => number) | undefined
}

const optionNames = ['attempts', 'baseDelay', 'maxDelay', 'jitter', 'operations', 'budget', 'clock', 'random']

/**
 * Repeats a call that failed with a retryable error, until it succeeds, the attempts or the budget are used up, or the
 * caller's signal fires. When no attempt is left, the last error is `exhausted`, and no layer above retries it.
 *
 * Three kinds of failure are not repeated: an iteration after its first item, a `publish` that may have happened (it timed
 * out), and `NOT_FOUND` of the local store, which is an answer.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function retry(options: RetryOptions = {}): Layer {
  checkKeys('retry', options, optionNames)
  checkClock('retry', options.clock)
  checkFunction('retry', 'random', options.random)
  const attempts = checkNumber('retry', 'attempts', options.attempts, { min: 1, integer: true }, 3)
  const first = checkNumber('retry', 'baseDelay', options.baseDelay, { min: 0 }, 100)
  const longest = checkNumber('retry', 'maxDelay', options.maxDelay, { min: 0 }, 5_000)
  const jitter = checkNumber('retry', 'jitter', options.jitter, { min: 0, max: 1 }, 1)
  const retried = checkOperations('retry', options.operations)
  const { clock = systemClock, random } = options
  const budget = checkRetryBudget('retry', options.budget, clock)

  /** Resolves when the call may be made again. Otherwise throws. */
  const again = async (error: unknown, attempt: number, call: LayerCall): Promise<void> => {
    if (!isRepeatable(error, call)) throw error
    if (attempt >= attempts || !budget.take()) throw withFields(error, { exhausted: true })
    await pause(backoff({ first, longest, jitter, random }, attempt), clock, call)
  }

  return aroundCalls({
    call: async (call, run) => {
      if (!retried.has(call.operation)) return await run()
      budget.count()
      for (let attempt = 1; ; attempt++) {
        try {
          return await run()
        } catch (error) {
          await again(error, attempt, call)
        }
      }
    },
    iterate: async function* (call, run) {
      budget.count()
      for (let attempt = 1; ; attempt++) {
        let begun = false
        try {
          for await (const item of run()) {
            begun = true
            yield item
          }
          return
        } catch (error) {
          if (begun || !retried.has(call.operation)) throw error
          await again(error, attempt, call)
        }
      }
    }
  })
}

function isRepeatable(error: unknown, { operation, options }: LayerCall): error is P2plError {
  if (options.signal?.aborted === true || !isP2plError(error) || !error.retryable || error.exhausted) return false
  if (operation === 'messages.publish') return error.code !== 'TIMEOUT' && error.code !== 'UNCERTAIN'
  return options.local !== true || error.code !== 'NOT_FOUND'
}
