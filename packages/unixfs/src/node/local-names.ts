import { P2plError } from '@p2pl/core'
import { wrongName } from '../names.ts'

/** Refuses names that are harmless in UnixFS but not on this system. */
export function assertLocalName(name: string, operation: string): void {
  const wrong =
    wrongName(name) ??
    (process.platform === 'win32' &&
    (/[<>:"\\|?*]|[. ]$/u.test(name) || hasControlCharacter(name) || reserved.test(name))
      ? 'this system gives it another meaning'
      : undefined)
  if (wrong === undefined) return
  throw new P2plError({
    code: 'INVALID_CONTENT',
    operation,
    message: `the name ${JSON.stringify(name)} cannot be written to disk: ${wrong}`
  })
}

function hasControlCharacter(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20) return true
  return false
}

const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu
