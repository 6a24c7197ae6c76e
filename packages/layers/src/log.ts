import {
  aroundCalls,
  checkClock,
  checkFunction,
  checkKeys,
  checkNumber,
  type Clock,
  errorMessage,
  isP2plError,
  type Layer,
  systemClock
} from '@p2pl/core/backend'
import { LineBudget } from './internal/line-budget.ts'
import { observing, quietly } from './internal/observe.ts'
import { redact } from './internal/redact.ts'
import { bytesSent } from './internal/size.ts'

export { LineBudget } from './internal/line-budget.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Receives the lines. An error that it throws is ignored. */
export type LogWriter = (level: LogLevel, message: string, fields: LogFields) => void

export interface LogOptions {
  /** Receives each line, and may drop levels that you do not want. Default: writes one JSON object per line to `console`. */
  write?: LogWriter | undefined
  /** Maximum number of lines per minute for each operation and code. The next line tells how many were left out. Default 60. */
  linesPerMinute?: number | undefined
  clock?: Clock | undefined
}

/**
 * Writes a line for each call: `debug` for successful calls and for calls that the caller ended, `info` for start, stop and
 * changes of a subscription, `warn` for failures. Lines name the operation, topic, CID or peer. They hold no payloads,
 * addresses or contexts, and passwords and tokens in error texts are redacted.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function log(options: LogOptions = {}): Layer {
  checkKeys('log', options, ['write', 'linesPerMinute', 'clock'])
  checkClock('log', options.clock)
  checkFunction('log', 'write', options.write)
  const { write = toConsole, clock = systemClock } = options
  const most = checkNumber('log', 'linesPerMinute', options.linesPerMinute, { min: 1 }, 60)
  const budget = new LineBudget(most, 60_000, () => clock.now())
  const line = (kind: string, level: LogLevel, message: string, fields: LogFields): void =>
    quietly(() => {
      const { write: allowed, leftOut } = budget.take(kind)
      if (allowed) write(level, redact(message), leftOut === 0 ? fields : { ...fields, leftOut })
    })

  return aroundCalls({
    ...observing((call) => {
      const begin = clock.now()
      return {
        end: ({ outcome, error, code, receivedBytes, items }) => {
          const { operation, backend, topic, cid, peer, id = peer?.id } = call
          const fields = {
            backend,
            operation,
            topic,
            cid: cid?.toString(),
            peer: id,
            ms: Math.round(clock.now() - begin),
            sentBytes: bytesSent(call) || undefined,
            receivedBytes: receivedBytes || undefined,
            items
          }
          if (outcome === 'error') {
            const level = code === 'ABORTED' ? 'debug' : 'warn'
            const text = errorMessage(error)
            const retryable = isP2plError(error) ? error.retryable : undefined
            line(`${operation} ${code}`, level, text, { ...fields, code, retryable })
          } else {
            const level = operation === 'start' || operation === 'stop' ? 'info' : 'debug'
            line(operation, level, outcome === 'ok' ? operation : `${operation} was left by its reader`, fields)
          }
        }
      }
    }),
    subscriber: (subscriber, topic, backend) => ({
      message: (message) => subscriber.message(message),
      gap: (gap) => {
        line('gap', 'warn', 'messages may have been lost', { backend, topic, reason: gap.reason, ms: gap.lasted })
        subscriber.gap(gap)
      },
      state: (state) => {
        line('state', 'info', `the subscription is ${state}`, { backend, topic })
        subscriber.state?.(state)
      }
    })
  })
}

function toConsole(level: LogLevel, message: string, fields: LogFields): void {
  console[level](JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
}
