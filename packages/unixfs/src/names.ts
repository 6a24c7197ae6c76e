import { P2plError } from '@p2pl/core'

/** Maximum bytes of UTF-8 in one name: the limit of file systems. */
const maxNameBytes = 255
/** Maximum number of names in one path. */
export const maxDepth = 128

const encoder = new TextEncoder()

/** The reason why this cannot be the name of a file, or `undefined` if it can. */
export function wrongName(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return 'it leads out of its directory'
  if (name.includes('/')) return 'it contains a slash'
  if (name.includes('\0')) return 'it contains a NUL character'
  if (!name.isWellFormed()) return 'it is no well-formed text'
  if (encoder.encode(name).byteLength > maxNameBytes) return `it has more than ${maxNameBytes} bytes`
  return undefined
}

/** The names in a path from the caller. Throws `INVALID_ARGUMENT`, which says which name is wrong. */
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
