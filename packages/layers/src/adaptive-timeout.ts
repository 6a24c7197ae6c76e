import {
  aroundCalls,
  checkClock,
  checkKeys,
  checkNumber,
  type Clock,
  invalidArgument,
  type Layer,
  type Operation,
  systemClock
} from '@p2pl/core/backend'
import { Durations, kindOf } from './internal/durations.ts'
import { checkOperations } from './internal/options.ts'
import { TimeLimit } from './internal/time-limit.ts'

export interface AdaptiveTimeoutOptions {
  /**
   * The percentile of durations that the limit is based on, 0 to 1. Default 0.99: most reads may come from the local store,
   * and the few that other peers answer need enough time, too.
   */
  percentile?: number | undefined
  /** The factor that the percentile is multiplied by; at least 1. Default 3. */
  factor?: number | undefined
  /** Shortest timeout in milliseconds. Default 1,000. */
  floor?: number | undefined
  /** Longest timeout in milliseconds. Also applies while there are too few samples. Default 30,000. */
  ceiling?: number | undefined
  /** Number of samples that are needed, 1 to 128. Default 20. */
  minSamples?: number | undefined
  /** Which of the calls that {@link adaptive} lists get a timeout. Default: all of them. */
  operations?: readonly Operation[] | undefined
  clock?: Clock | undefined
}

/** Calls that end with one answer. Other calls take as long as their content, their reader or the app needs. */
const adaptive: readonly Operation[] = [
  'messages.publish',
  'messages.peers',
  'blocks.get',
  'blocks.putMany',
  'blocks.has',
  'blocks.delete',
  'blocks.unpin',
  'routing.provide',
  'routing.unprovide',
  'routing.findPeer',
  'routing.connect',
  'routing.disconnect',
  'routing.connections'
]

/**
 * Ends a call that takes much longer than earlier calls of the same backend, operation and size class. An ended call counts
 * with the time that it took, so timeouts grow within a few calls when a network becomes slow.
 *
 * This also ends a `get` of a block that no peer has yet. Put `retry` around this layer if such a block may appear later.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function adaptiveTimeout(options: AdaptiveTimeoutOptions = {}): Layer {
  const name = 'adaptiveTimeout'
  checkKeys(name, options, ['percentile', 'factor', 'floor', 'ceiling', 'minSamples', 'operations', 'clock'])
  checkClock(name, options.clock)
  const percentile = checkNumber(name, 'percentile', options.percentile, { min: 0, max: 1 }, 0.99)
  const factor = checkNumber(name, 'factor', options.factor, { min: 1 }, 3)
  const floor = checkNumber(name, 'floor', options.floor, { min: 1 }, 1_000)
  const ceiling = checkNumber(name, 'ceiling', options.ceiling, { min: 1 }, 30_000)
  const minSamples = checkNumber(name, 'minSamples', options.minSamples, { min: 1, max: 128, integer: true }, 20)
  if (floor > ceiling) throw invalidArgument(name, `${name}: floor (${floor}) must not be over ceiling (${ceiling})`)
  const limited = checkOperations(name, options.operations, adaptive, adaptive)
  const { clock = systemClock } = options
  const durations = new Durations()

  return aroundCalls({
    call: async (call, run) => {
      if (!limited.has(call.operation)) return await run()
      const kind = kindOf(call)
      const usual = durations.percentile(kind, percentile, minSamples)
      const ms = usual === undefined ? ceiling : Math.min(ceiling, Math.max(floor, usual * factor))
      const limit = new TimeLimit(clock, ms, call, name)
      const begin = clock.now()
      try {
        const result = await limit.over(() => run({ signal: limit.signal }))
        durations.record(kind, clock.now() - begin)
        return result
      } catch (error) {
        // Quick failures say nothing about how long an answer takes.
        if (limit.isOver) durations.record(kind, ms)
        throw error
      } finally {
        limit.close()
      }
    }
  })
}
