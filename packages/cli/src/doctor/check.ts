import { describeError } from '../tools/index.ts'

export interface Check {
  /**
   * Stable: `runtime`, `configuration`, `backend`, `disk`, `folder`, `port`, `start`, `bootstrap`, `peers`, `clock`. For a
   * daemon, also those of `@p2pl/kubo`.
   */
  readonly name: string
  /** `fail`: it does not work. `warn`: it works, but not as well as it could. */
  readonly status: 'ok' | 'warn' | 'fail'
  readonly message: string
  /** The command to run, or the change to make. */
  readonly fix?: string | undefined
}

export function ok(name: string, message: string): Check {
  return { name, status: 'ok', message }
}

/**
 * Turns a failure into a check. Without `fix`, the part of the error message after the first colon becomes the fix, since
 * p2pl's errors have that form.
 */
export function failed(name: string, error: unknown, fix?: string): Check {
  const { message } = describeError(error)
  if (fix !== undefined) return { name, status: 'fail', message, fix }
  const [, fault = message, remedy] = /^([^]*?): ([^]*)$/.exec(message) ?? []
  return { name, status: 'fail', message: fault, fix: remedy }
}
