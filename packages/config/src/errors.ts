import process from 'node:process'
import { P2plError } from '@p2pl/core'

/** Something in the configuration is wrong. Messages name keys and sources, never values: these may be secret. */
export function wrong(message: string, operation = 'loadConfig'): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, message })
}

const warned = new Set<string>()

/** For callers that do not listen to warnings: each sentence once in a process, however many peers it has. */
export function warn(message: string): void {
  if (warned.has(message)) return
  warned.add(message)
  process.emitWarning(message, 'P2plConfigWarning')
}
