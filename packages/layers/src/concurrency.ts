import {
  abortError,
  aroundCalls,
  checkKeys,
  checkNumber,
  FairSlots,
  type Layer,
  type Operation,
  operations,
  P2plError
} from '@p2pl/core/backend'
import { checkOperations } from './internal/options.ts'

export interface ConcurrencyOptions {
  /** Maximum number of calls under way; at least 1. Default 64. */
  limit?: number | undefined
  /** Maximum number of calls that wait. Default 4,096. One more is refused with `OVERLOADED`. */
  queue?: number | undefined
  /** The calls that are limited. Default: all calls with a single answer, except `start`, `stop` and `subscribe`. */
  operations?: readonly Operation[] | undefined
}

/** A slow reader would occupy the slot of an iteration, and could itself wait for a slot. */
const iterations: readonly Operation[] = ['blocks.pins', 'blocks.gc', 'routing.findProviders']
const limitable = operations.filter((name) => name !== 'start' && name !== 'stop' && !iterations.includes(name))

/**
 * Limits how many calls are under way (a bulkhead). Each operation and topic has a queue of waiting calls, and the queues
 * take turns: ten thousand queued fetches delay a publish by one call, not by ten thousand.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function concurrency(options: ConcurrencyOptions = {}): Layer {
  checkKeys('concurrency', options, ['limit', 'queue', 'operations'])
  const limit = checkNumber('concurrency', 'limit', options.limit, { min: 1, integer: true }, 64)
  const queue = checkNumber('concurrency', 'queue', options.queue, { min: 0, integer: true }, 4_096)
  const limited = checkOperations(
    'concurrency',
    options.operations,
    limitable,
    limitable.filter((name) => name !== 'messages.subscribe')
  )
  const slots = new FairSlots(limit, () => true)

  return aroundCalls({
    call: async (call, run) => {
      const { operation, backend, topic } = call
      const { signal } = call.options
      if (!limited.has(operation)) return await run()
      if (!slots.free && slots.waiting >= queue) {
        throw new P2plError({
          code: 'OVERLOADED',
          operation,
          backend,
          message: `${operation}: ${limit} calls are under way and ${queue} wait: call less often, or raise limit or queue (concurrency layer)`
        })
      }
      const line = typeof topic === 'string' ? `${operation} ${topic}` : operation
      try {
        return await slots.run(line, run, signal)
      } catch (error) {
        throw signal !== undefined && error === signal.reason ? abortError(operation, signal, backend) : error
      }
    }
  })
}
