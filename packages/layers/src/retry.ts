import { type Clock, isP2plError, type Layer, systemClock } from '@p2pl/core/backend'
import { around } from './internal/around.ts'
import type { Call, Changes } from './internal/call.ts'
import { checkNames, numberOption, operationsOption } from './internal/options.ts'
import { sleep } from './internal/sleep.ts'
import { isRepeatable, observe } from './internal/source.ts'
import type { Operation } from './operations.ts'

export type { Operation } from './operations.ts'

export interface RetryOptions {
  /** How often a call is made at most, the first time included: 1 or more. Default 3. */
  attempts?: number | undefined
  /** Milliseconds before the second attempt; doubled before each further one. Default 100. */
  baseDelay?: number | undefined
  /** Longest pause in milliseconds. Default 5,000. */
  maxDelay?: number | undefined
  /** The part of a pause that is left to chance, 0 to 1. Default 1: anything from none to the whole pause. */
  jitter?: number | undefined
  /** Which operations are retried. Default: all but `start` and `stop`. */
  operations?: readonly Operation[] | undefined
  clock?: Clock | undefined
  /** A number in [0, 1). */
  random?: (() => number) | undefined
}

/**
 * Makes a call again when it failed with a retryable error, until it succeeds, the attempts are used up or the caller's
 * signal fires. The last error is thrown as it came.
 *
 * Not repeated: what the backend has begun to hand out (an iteration after its first item) or to take in (`putMany` of
 * anything but an array, after its first block was read); a `publish` that may have happened (one that timed out); and
 * `NOT_FOUND` of the own store, which is an answer.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function retry(options: RetryOptions = {}): Layer {
  const attempts = numberOption('retry', 'attempts', options.attempts, { default: 3, min: 1, integer: true })
  const baseDelay = numberOption('retry', 'baseDelay', options.baseDelay, { default: 100, min: 0 })
  const maxDelay = numberOption('retry', 'maxDelay', options.maxDelay, { default: 5_000, min: 0 })
  const jitter = numberOption('retry', 'jitter', options.jitter, { default: 1, min: 0, max: 1 })
  checkNames('retry', options, ['attempts', 'baseDelay', 'maxDelay', 'jitter', 'operations', 'clock', 'random'])
  const retried = operationsOption('retry', options.operations)
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random

  const pause = async (attempt: number, call: Call): Promise<void> => {
    const full = Math.min(maxDelay, baseDelay * 2 ** (attempt - 1))
    await sleep(clock, full * (1 - jitter * random()), call)
  }
  const mayRepeat = (error: unknown, attempt: number, call: Call): boolean =>
    attempt < attempts && call.signal?.aborted !== true && isRepeatableFailure(error, call)

  return around({
    call: async (call, run) => {
      if (!retried.has(call.operation)) return await run()
      const source = new OneShotGuard(call)
      for (let attempt = 1; ; attempt++) {
        try {
          return await run(source.changes())
        } catch (error) {
          if (source.touched || !mayRepeat(error, attempt, call)) throw error
        }
        await pause(attempt, call)
      }
    },
    iterate: async function* (call, run) {
      if (!retried.has(call.operation)) {
        yield* run()
        return
      }
      for (let attempt = 1; ; attempt++) {
        let begun = false
        try {
          for await (const item of run()) {
            begun = true
            yield item
          }
          return
        } catch (error) {
          if (begun || !mayRepeat(error, attempt, call)) throw error
        }
        await pause(attempt, call)
      }
    }
  })
}

function isRepeatableFailure(error: unknown, call: Call): boolean {
  if (!isP2plError(error) || !error.retryable) return false
  if (call.operation === 'messages.publish') return error.code !== 'TIMEOUT'
  return !(call.local === true && error.code === 'NOT_FOUND')
}

/** Notices when blocks that can be read only once have been read. */
class OneShotGuard {
  touched = false
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** New for each attempt: one that was closed unread has not closed what is behind it. */
  changes(): Changes | undefined {
    const { blocks } = this.#call
    if (blocks === undefined || isRepeatable(blocks)) return undefined
    return {
      blocks: observe(blocks, {
        onPull: () => {
          this.touched = true
        }
      })
    }
  }
}
