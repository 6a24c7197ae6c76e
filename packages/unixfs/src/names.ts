import { P2plError } from '@p2pl/core'

/** Bytes of UTF-8 in one name: what file systems take. */
const maxNameBytes = 255
/** Names in one path. */
export const maxDepth = 128

const encoder = new TextEncoder()

/** Why this is no name of a file, or `undefined` where it is one. */
export function wrongName(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return 'it leads out of its directory'
  if (name.includes('/')) return 'it contains a slash'
  if (name.includes('\0')) return 'it contains a NUL character'
  if (!name.isWellFormed()) return 'it is no well-formed text'
  if (encoder.encode(name).byteLength > maxNameBytes) return `it has more than ${maxNameBytes} bytes`
  return undefined
}

/** The names of a path that the caller gave; `INVALID_ARGUMENT` says which one is wrong. */
export function namesOf(path: unknown, operation: string): string[] {
  if (typeof path !== 'string' || path === '') {
    throw new P2plError({ code: 'INVALID_ARGUMENT', operation, message: 'each entry needs a path' })
  }
  const names = path.split('/')
  if (names.length > maxDepth) throw wrongPath(path, operation, `it has more than ${maxDepth} names`)
  for (const name of names) {
    const wrong = wrongName(name)
    if (wrong !== undefined) throw wrongPath(path, operation, `the name ${JSON.stringify(name)} is wrong: ${wrong}`)
  }
  return names
}

function wrongPath(path: string, operation: string, reason: string): P2plError {
  return new P2plError({
    code: 'INVALID_ARGUMENT',
    operation,
    message: `the path ${JSON.stringify(path.slice(0, 200))} cannot be used: ${reason}`
  })
}
