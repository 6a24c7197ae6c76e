/** The meaning of a command line's exit codes. They are part of its interface. */
export const exitCodes = {
  ok: 0,
  /** The command line is right, but the command failed: network, disk, a timeout. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The requested thing does not exist, or no peer has it. */
  notFound: 3,
  /** The rules of an application refuse the request. */
  rejected: 4,
  /** The checked data is damaged or forged. */
  invalid: 5
} as const

const byCode: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: exitCodes.usage,
  NOT_FOUND: exitCodes.notFound,
  REJECTED: exitCodes.rejected,
  INVALID_CONTENT: exitCodes.invalid
}

/** The exit code for an error, by its `code`. Errors of commander have their own. */
export function exitCodeOf(error: unknown): number {
  const { code, exitCode } = (error ?? {}) as { code?: unknown; exitCode?: unknown }
  if (typeof code === 'string' && code.startsWith('commander.')) return exitCode === 0 ? exitCodes.ok : exitCodes.usage
  return (typeof code === 'string' ? byCode[code] : undefined) ?? exitCodes.failed
}
