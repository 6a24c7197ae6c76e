import { type Clock, type Layer, systemClock } from '@p2pl/core/backend'
import { around } from './internal/around.ts'
import type { Call } from './internal/call.ts'
import { checkNames, numberOption } from './internal/options.ts'
import { isRepeatable, observe } from './internal/source.ts'
import { Watchdog } from './internal/watchdog.ts'
import type { Operation } from './operations.ts'

/** Milliseconds; more than 0, `Infinity` for none. What is left out has no deadline here. */
export interface DeadlineOptions {
  /** One block, or the time from one block of a DAG to the next. */
  get?: number | undefined
  /** One block, or a batch given as an array; for any other batch the time since a block of it was last read. */
  put?: number | undefined
  /** A pin, with all that it has to fetch. */
  pin?: number | undefined
  /** has, delete, unpin; from one item to the next of pins and gc. */
  store?: number | undefined
  publish?: number | undefined
  /** subscribe, peers. */
  subscribe?: number | undefined
  /** Each call of routing; from one provider to the next of findProviders. */
  routing?: number | undefined
  /** start, stop. */
  lifecycle?: number | undefined
  clock?: Clock | undefined
}

export type DeadlineGroup = Exclude<keyof DeadlineOptions, 'clock'>

const groups: Readonly<Record<Operation, DeadlineGroup>> = {
  start: 'lifecycle',
  stop: 'lifecycle',
  'messages.publish': 'publish',
  'messages.subscribe': 'subscribe',
  'messages.peers': 'subscribe',
  'blocks.get': 'get',
  'blocks.getDag': 'get',
  'blocks.put': 'put',
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
 * Ends each call that takes too long with a retryable `TIMEOUT` (not retryable for `publish`, which may have happened).
 * The call ends even where the backend ignores its signal; a subscription or start that succeeds too late is undone.
 * Time that an iteration waits for its reader, or `putMany` for its source, does not count.
 *
 * @throws `INVALID_ARGUMENT` when a deadline is unknown, or not a number over 0.
 */
export function deadline(options: DeadlineOptions): Layer {
  const clock = options.clock ?? systemClock
  const limits = new Map<DeadlineGroup, number>()
  const names = new Set(Object.values(groups))
  checkNames('deadline', options, [...names, 'clock'])
  for (const group of names) {
    const limit = numberOption('deadline', group, options[group], { default: Infinity, min: Number.MIN_VALUE })
    if (limit !== Infinity) limits.set(group, limit)
  }
  const limitOf = (call: Call): number | undefined => limits.get(groups[call.operation])

  return around({
    call: async (call, run) => {
      const limit = limitOf(call)
      if (limit === undefined) return await run()
      const watchdog = new Watchdog(clock, limit, call)
      try {
        watchdog.start()
        return await watchdog.guard(() => run({ signal: watchdog.signal, ...watched(call, watchdog) }))
      } finally {
        watchdog.end()
      }
    },
    iterate: async function* (call, run) {
      const limit = limitOf(call)
      if (limit === undefined) {
        yield* run()
        return
      }
      const watchdog = new Watchdog(clock, limit, call)
      let iterator: AsyncIterator<unknown> | undefined
      let exhausted = false
      const next = async (): Promise<IteratorResult<never>> => {
        iterator ??= run({ signal: watchdog.signal })[Symbol.asyncIterator]()
        return (await iterator.next()) as IteratorResult<never>
      }
      try {
        while (!exhausted) {
          watchdog.start()
          const result = await watchdog.guard(next)
          watchdog.pause()
          if (result.done === true) exhausted = true
          else yield result.value
        }
      } finally {
        watchdog.end()
        // Not awaited: an iteration that hangs would also hang in its return.
        if (!exhausted) void iterator?.return?.().catch(() => undefined)
      }
    }
  })
}

/** The source of `putMany`, such that the time stands still while the source is slow, and starts anew with each block. */
function watched(call: Call, watchdog: Watchdog): { blocks?: ReturnType<typeof observe> } {
  if (call.blocks === undefined || isRepeatable(call.blocks)) return {}
  return {
    blocks: observe(call.blocks, { onPull: () => watchdog.pause(), onBlock: () => watchdog.start() })
  }
}
