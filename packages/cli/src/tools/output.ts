import { errorMessage } from '@p2pl/core/backend'
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
  /** One JSON value per line, on stdout and on stderr. */
  readonly json: boolean
  /** Converts any thrown value to a code and a sentence. Default: {@link describeError}. */
  readonly describe?: ((error: unknown) => ErrorDescription) | undefined
}

/** Updates the progress that a command shows. Without arguments, the progress disappears. */
export type ShowProgress = (done?: number, total?: number) => void

/** The output of commands: results go to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean
  /** The single result: as JSON on one line with --json, otherwise as the lines that `text` returns. */
  result(value: unknown, text: () => string | readonly string[]): void
  /** One of many results. Resolves when a slow reader has room again. */
  item(value: unknown, text: () => string | readonly string[]): Promise<void>
  bytes(chunk: Uint8Array): Promise<void>
  /** Information in addition to the results. */
  note(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(error: unknown): void
  /** Shows the progress of long work, with its rate and the remaining time. On terminals only. */
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
      // The label may be the name of a file from a stranger.
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

/** A pipe gets the text unchanged, a terminal only printable text. */
function safe({ isTTY }: NodeJS.WriteStream, text: string): string {
  return isTTY ? printable(text) : text
}

/** The code is `INTERNAL` for unexpected errors. */
export function describeError(error: unknown): ErrorDescription {
  if (isP2plError(error)) return { code: error.code, message: error.message }
  return { code: 'INTERNAL', message: errorMessage(error) }
}

/** The cause of the failure, if known, in the engine's words. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
  return reason === '' || isP2plError(error, 'ABORTED') || (error as Error).message.includes(reason)
    ? undefined
    : reason
}
