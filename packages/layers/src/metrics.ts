import {
  aroundCalls,
  checkFunction,
  describe,
  type ErrorCode,
  invalidArgument,
  type Layer,
  type Operation
} from '@p2pl/core/backend'
import { observing, quietly } from './internal/observe.ts'
import { bytesSent } from './internal/size.ts'

/** One call that has ended. */
export interface CallRecord {
  readonly backend: string
  readonly operation: Operation
  /** For calls that concern a topic. */
  readonly topic?: string | undefined
  /** `closed`: the reader ended an iteration before its end. */
  readonly outcome: 'ok' | 'error' | 'closed'
  /** Why it failed; `unknown` for an error that is not a `P2plError`. */
  readonly code?: ErrorCode | 'unknown' | undefined
  /** Milliseconds from the call to its end. */
  readonly duration: number
  /** Bytes of payload and blocks given to the backend. */
  readonly sentBytes: number
  /** Bytes of blocks that came from the backend. */
  readonly receivedBytes: number
  /** Number of items of an iteration. */
  readonly items?: number | undefined
}

/** A message or gap that came in on a subscription. */
export interface IncomingRecord {
  readonly backend: string
  readonly topic: string
  readonly event: 'message' | 'gap'
  readonly receivedBytes: number
}

/** Receives the figures. The functions return at once. Errors that they throw are ignored, so that counting breaks no call. */
export interface MetricsSink {
  onCall(record: CallRecord): void
  onIncoming?(record: IncomingRecord): void
  /** Monotonic milliseconds. Default `performance.now`. */
  now?: (() => number) | undefined
}

/**
 * Reports each call, and each message and gap of each subscription, to a sink. Throws `INVALID_ARGUMENT` for anything but a
 * sink.
 */
export function metrics(sink: MetricsSink): Layer {
  if (typeof (sink as Partial<MetricsSink> | null | undefined)?.onCall !== 'function') {
    const fix = 'such as countingSink() or prometheusSink()'
    throw invalidArgument('metrics', `metrics: give it a sink with onCall, ${fix}, not ${describe(sink)}`)
  }
  for (const name of ['onIncoming', 'now'] as const) checkFunction('metrics', name, sink[name])
  const now = sink.now ?? (() => performance.now())
  return aroundCalls({
    ...observing((call) => {
      const begin = now()
      return {
        end: ({ outcome, code, receivedBytes, items }) => {
          const { backend, operation, topic } = call
          const duration = now() - begin
          const sentBytes = bytesSent(call)
          sink.onCall({ backend, operation, topic, outcome, code, duration, sentBytes, receivedBytes, items })
        }
      }
    }),
    subscriber: (subscriber, topic, backend) => {
      const report = (event: IncomingRecord['event'], receivedBytes: number): void =>
        quietly(() => sink.onIncoming?.({ backend, topic, event, receivedBytes }))
      return {
        message: (message) => {
          report('message', message.payload.byteLength)
          return subscriber.message(message)
        },
        gap: (gap) => {
          report('gap', 0)
          subscriber.gap(gap)
        },
        state: (state) => subscriber.state?.(state)
      }
    }
  })
}

/** Sums per operation since the sink was created. */
export interface OperationTotals {
  readonly calls: number
  readonly errors: Readonly<Partial<Record<ErrorCode | 'unknown', number>>>
  /** Milliseconds of all calls together, and of the longest. */
  readonly duration: number
  readonly longest: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface Totals {
  readonly operations: Readonly<Partial<Record<Operation, OperationTotals>>>
  readonly messages: number
  readonly gaps: number
  readonly messageBytes: number
}

/** A sink that adds up. `totals` returns a copy of the current sums. */
export function countingSink(): MetricsSink & { totals(): Totals } {
  const sums = new Map<Operation, OperationTotals>()
  let messages = 0
  let gaps = 0
  let messageBytes = 0
  return {
    onCall: ({ operation, code, duration, sentBytes, receivedBytes }) => {
      const sum = sums.get(operation)
      const errors = sum?.errors ?? {}
      sums.set(operation, {
        calls: (sum?.calls ?? 0) + 1,
        errors: code === undefined ? errors : { ...errors, [code]: (errors[code] ?? 0) + 1 },
        duration: (sum?.duration ?? 0) + duration,
        longest: Math.max(sum?.longest ?? 0, duration),
        sentBytes: (sum?.sentBytes ?? 0) + sentBytes,
        receivedBytes: (sum?.receivedBytes ?? 0) + receivedBytes
      })
    },
    onIncoming: ({ event, receivedBytes }) => {
      if (event === 'message') messages++
      else gaps++
      messageBytes += receivedBytes
    },
    totals: () => ({ operations: Object.fromEntries(sums), messages, gaps, messageBytes })
  }
}
