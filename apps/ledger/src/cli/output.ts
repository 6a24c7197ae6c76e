import { isP2plError } from '@p2pl/core'
import { describeError } from '../errors.ts'

/** Where commands write: results go to stdout, everything else to stderr. */
export interface Output {
  /** One result: as JSON on one line with --json, otherwise as the lines that `text` makes. */
  result(value: unknown, text: () => string | readonly string[]): void
  bytes(chunk: Uint8Array): Promise<void>
  error(error: unknown): void
  /** Shows the progress of long work, on terminals only. Call the result without an argument to end it. */
  progress(label: string): (done?: number) => void
}

export function createOutput(json: boolean): Output {
  return {
    result: (value, text) => {
      const lines = json ? JSON.stringify(value) : text()
      process.stdout.write(`${typeof lines === 'string' ? lines : lines.join('\n')}\n`)
    },
    bytes: async (chunk) => {
      if (process.stdout.write(chunk)) return
      await new Promise<void>((resolve) => {
        process.stdout.once('drain', resolve)
      })
    },
    error: (error) => {
      const { code, message } = describeError(error)
      const cause = causeOf(error)
      process.stderr.write(
        json
          ? `${JSON.stringify({ error: { code, message, cause } })}\n`
          : `error: ${message} (${code})\n${cause === undefined ? '' : `  because: ${cause}\n`}`
      )
      if (process.env['P2PL_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    },
    progress: (label) => {
      if (json || !process.stderr.isTTY) return () => undefined
      let last = 0
      return (done) => {
        if (done === undefined) process.stderr.write('\r\u001b[2K')
        else if (performance.now() - last > 100) {
          last = performance.now()
          process.stderr.write(`\r\u001b[2K${label} ${done.toLocaleString('en')}`)
        }
      }
    }
  }
}

/** The cause of the failure, where it is known, in the words of the engine. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
  return reason === '' || isP2plError(error, 'ABORTED') || (error as Error).message.includes(reason)
    ? undefined
    : reason
}
