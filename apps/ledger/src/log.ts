import process from 'node:process'
import { describeError } from './errors.ts'

/** The least important is last. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export type Log = (level: LogLevel, message: string, fields?: LogFields) => void

export interface LogOptions {
  readonly level: LogLevel
  /** One JSON object per line; otherwise text for people. */
  readonly json: boolean
  /** Default: stderr. */
  readonly write?: ((line: string) => void) | undefined
}

export function createLog(options: LogOptions): Log {
  const { level: least, json, write = (line) => process.stderr.write(line) } = options
  return (level, message, fields = {}) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(least)) return
    const time = new Date().toISOString()
    write(
      json
        ? `${JSON.stringify({ time, level, message, ...fields })}\n`
        : `${time} ${level.padEnd(5)} ${[oneLine(message), ...textOf(fields)].join(' ')}\n`
    )
  }
}

/** An error as log fields: its code and its cause. */
export function errorFields(error: unknown): LogFields {
  const { code } = describeError(error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined
  return cause === undefined ? { code } : { code, cause }
}

function textOf(fields: LogFields): string[] {
  return Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`
  )
}

/** A message may contain text from others, which must not create lines. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}
