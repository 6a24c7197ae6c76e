import { once } from 'node:events'
import process from 'node:process'
import { isP2plError } from '@p2pl/core'
import { oneLine, printable } from './printable.ts'
import { progressLine, Rate } from './progress-line.ts'

export interface ErrorDescription {
  readonly code: string
  readonly message: string
}

export interface OutputOptions {
  /** One JSON value a line, on stdout and on stderr. */
  readonly json: boolean
  /** Any thrown value as a code and a sentence. Default: {@link describeError}. */
  readonly describe?: ((error: unknown) => ErrorDescription) | undefined
}

/** Ends or moves on the progress that a command shows: without arguments it disappears. */
export type ShowProgress = (done?: number, total?: number) => void

/** Where commands write: results go to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean
  /** The one result: as JSON on one line with --json, otherwise as the lines that `text` makes. */
  result(value: unknown, text: () => string | readonly string[]): void
  /** One of many results. Resolves when a slow reader has room again. */
  item(value: unknown, text: () => string | readonly string[]): Promise<void>
  bytes(chunk: Uint8Array): Promise<void>
  /** Something to know beside the results. */
  note(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(error: unknown): void
  /** Shows the progress of long work with its rate and the time that is left, on terminals only. */
  progress(label: string, unit?: 'bytes' | 'items'): ShowProgress
}

export function createOutput({ json, describe = describeError }: OutputOptions): Output {
  const { stdout, stderr } = process
  const lines = (value: unknown, text: () => string | readonly string[]): string => {
    const made = json ? JSON.stringify(value) : text()
    return safe(stdout, `${typeof made === 'string' ? made : made.join('\n')}\n`)
  }
  return {
    json,
    result: (value, text) => {
      stdout.write(lines(value, text))
    },
    item: async (value, text) => {
      if (!stdout.write(lines(value, text))) await once(stdout, 'drain')
    },
    bytes: async (chunk) => {
      if (!stdout.write(chunk)) await once(stdout, 'drain')
    },
    note: (message, fields = {}) => {
      stderr.write(safe(stderr, `${json ? JSON.stringify({ note: message, ...fields }) : message}\n`))
    },
    error: (error) => {
      const { code, message } = describe(error)
      const cause = causeOf(error)
      const text = `error: ${message} (${code})\n${cause === undefined ? '' : `  because: ${cause}\n`}`
      stderr.write(safe(stderr, json ? `${JSON.stringify({ error: { code, message, cause } })}\n` : text))
      if (process.env['P2PL_DEBUG'] !== undefined && error instanceof Error)
        stderr.write(safe(stderr, `${error.stack}\n`))
    },
    progress: (label, unit = 'items') => {
      if (json || !stderr.isTTY) return () => undefined
      // The name of a file that came from elsewhere.
      const name = printable(oneLine(label))
      const rate = new Rate()
      rate.add(performance.now(), 0)
      let shown = -Infinity
      return (done, total) => {
        if (done === undefined) {
          stderr.write('\r\u001b[2K')
          return
        }
        const now = performance.now()
        rate.add(now, done)
        if (now - shown < 100) return
        shown = now
        stderr.write(
          `\r\u001b[2K${progressLine({ label: name, unit, done, total, perSecond: rate.perSecond }, stderr.columns)}`
        )
      }
    }
  }
}

/** A pipe gets what is there, a terminal what it may show. */
function safe({ isTTY }: NodeJS.WriteStream, text: string): string {
  return isTTY ? printable(text) : text
}

/** `INTERNAL` for what nobody foresaw. */
export function describeError(error: unknown): ErrorDescription {
  if (isP2plError(error)) return { code: error.code, message: error.message }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/** The cause of the failure, where it is known, in the words of the engine. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
  return reason === '' || isP2plError(error, 'ABORTED') || (error as Error).message.includes(reason)
    ? undefined
    : reason
}
