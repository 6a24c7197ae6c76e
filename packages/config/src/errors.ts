import process from 'node:process'
import { P2plError } from '@p2pl/core'

/** An error in the configuration. Messages name keys and sources, but never values, which may be secret. */
export function wrong(message: string, operation = 'loadConfig'): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, message })
}

const warned = new Set<string>()

/** For callers without `onWarning`: warns once per sentence and process, however many peers the process has. */
export function warn(message: string): void {
  if (warned.has(message)) return
  warned.add(message)
  process.emitWarning(message, 'P2plConfigWarning')
}
