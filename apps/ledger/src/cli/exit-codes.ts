import { CommanderError } from 'commander'
import { describeError } from '../errors.ts'

/** What the command line's exit codes mean. Part of its interface. */
export const exitCodes = {
  ok: 0,
  /** The command is right, and it failed: network, disk, a timeout. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No such ledger, entry, account or content. */
  notFound: 3,
  /** The rules of the ledger refuse it, or the entry is in the ledger as rejected. */
  rejected: 4,
  /** What was checked is damaged or forged. */
  invalid: 5
} as const

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const { code } = describeError(error)
  if (code === 'INVALID_ARGUMENT') return exitCodes.usage
  if (code === 'NOT_FOUND') return exitCodes.notFound
  if (code === 'REJECTED') return exitCodes.rejected
  if (code === 'INVALID_CONTENT') return exitCodes.invalid
  return exitCodes.failed
}
