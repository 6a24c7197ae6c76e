import type { Output } from './tools/index.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  /** The folder of this user's peers. */
  readonly dir: string
  readonly json?: boolean | undefined
  readonly backend?: string | undefined
  /** A configuration file. */
  readonly config?: string | undefined
  readonly connect?: readonly string[] | undefined
  readonly listen?: readonly string[] | undefined
  /** In seconds. */
  readonly timeout?: number | undefined
}

/** How long a command waits for others before it goes on without them, in milliseconds: `ms`, or what `--timeout` says. */
export function patienceOf({ timeout }: GlobalOptions, ms: number): number {
  return timeout === undefined ? ms : timeout * 1_000
}

export interface CommandContext {
  readonly options: GlobalOptions
  readonly output: Output
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal
}

/** A command. Returns an exit code other than 0 if it has one without an error. */
export type Action = (context: CommandContext, ...rest: never[]) => Promise<number | void>
