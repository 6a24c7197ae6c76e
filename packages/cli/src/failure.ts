import { P2plError } from '@p2pl/core'
import { createOutput, exitCodeOf, explained } from './tools/index.ts'

/** Reports why a command failed, and returns its exit code. */
export function reportFailure(thrown: unknown, json: boolean, signal: AbortSignal): number {
  const error = signal.aborted ? interrupted(thrown) : explained(thrown)
  createOutput({ json }).error(error)
  return exitCodeOf(error)
}

function interrupted(cause: unknown): P2plError {
  const message = 'interrupted: what was done until then stays, and doing it again goes on'
  return new P2plError({ code: 'ABORTED', operation: 'command', cause, message })
}
