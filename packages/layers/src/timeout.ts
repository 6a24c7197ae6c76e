import {
  aroundCalls,
  checkClock,
  checkKeys,
  checkNumber,
  type Clock,
  invalidArgument,
  type Layer,
  type LayerCall,
  type Operation,
  systemClock
} from '@p2pl/core/backend'
import { TimeLimit } from './internal/time-limit.ts'

/** Milliseconds above 0; `Infinity` means no timeout. A group that is left out has no timeout here. */
export interface TimeoutOptions {
  /** blocks.get */
  get?: number | undefined
  /** blocks.putMany */
  put?: number | undefined
  /** blocks.pin, including all that it has to fetch. */
  pin?: number | undefined
  /** has, delete, unpin. For pins and gc: from one item to the next. */
  store?: number | undefined
  publish?: number | undefined
  /** subscribe, peers. */
  subscribe?: number | undefined
  /** Each routing call. For findProviders: from one provider to the next. */
  routing?: number | undefined
  /** start, stop. */
  lifecycle?: number | undefined
  clock?: Clock | undefined
}

export type TimeoutGroup = Exclude<keyof TimeoutOptions, 'clock'>

const groups: Readonly<Record<Operation, TimeoutGroup>> = {
  start: 'lifecycle',
  stop: 'lifecycle',
  'messages.publish': 'publish',
  'messages.subscribe': 'subscribe',
  'messages.peers': 'subscribe',
  'blocks.get': 'get',
  'blocks.putMany': 'put',
  'blocks.has': 'store',
  'blocks.delete': 'store',
  'blocks.pin': 'pin',
  'blocks.unpin': 'store',
  'blocks.pins': 'store',
  'blocks.gc': 'store',
  'routing.provide': 'routing',
  'routing.unprovide': 'routing',
  'routing.findProviders': 'routing',
  'routing.findPeer': 'routing',
  'routing.connect': 'routing',
  'routing.disconnect': 'routing',
  'routing.connections': 'routing'
}

/**
 * Ends a call that takes too long with a retryable `TIMEOUT` (not retryable for `publish`, which may have happened). Time
 * in which an iteration waits for its reader does not count.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown, or not a number above 0.
 */
export function timeout(options: TimeoutOptions): Layer {
  const names = [...new Set(Object.values(groups))]
  if (options === undefined) {
    throw invalidArgument('timeout', 'timeout: give it the milliseconds of a group, such as timeout({ get: 10_000 })')
  }
  checkKeys('timeout', options, [...names, 'clock'])
  checkClock('timeout', options.clock)
  const limits = new Map<TimeoutGroup, number>()
  for (const name of names) {
    const ms = checkNumber('timeout', name, options[name], { min: Number.MIN_VALUE }, Infinity)
    if (ms !== Infinity) limits.set(name, ms)
  }
  const { clock = systemClock } = options
  const limitOf = (call: LayerCall): TimeLimit | undefined => {
    const ms = limits.get(groups[call.operation])
    return ms === undefined ? undefined : new TimeLimit(clock, ms, call, 'timeout')
  }

  return aroundCalls({
    call: async (call, run) => {
      const limit = limitOf(call)
      if (limit === undefined) return await run()
      try {
        return await limit.over(() => run({ signal: limit.signal }))
      } finally {
        limit.close()
      }
    },
    iterate: async function* (call, run) {
      const limit = limitOf(call)
      if (limit === undefined) {
        yield* run()
        return
      }
      let iterator: AsyncIterator<unknown> | undefined
      let done = false
      try {
        while (!done) {
          iterator ??= run({ signal: limit.signal })[Symbol.asyncIterator]()
          const item = (await limit.over(iterator.next.bind(iterator))) as IteratorResult<never>
          done = item.done === true
          if (!done) yield item.value as never
        }
      } finally {
        limit.close()
        // The `return` of an iteration that hangs would hang as well, so nobody waits for it.
        if (!done) void iterator?.return?.().catch(() => undefined)
      }
    }
  })
}
