import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, errorMessage, invalidArgument, P2plError } from '@p2pl/core/backend'

const nothingThere: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])

/**
 * Makes a folder and its parents. It does not use the `recursive` option of Node's `mkdir`. On a read-only disk that option
 * reports that the folder does not exist, and on some file systems it never returns.
 */
export async function makeFolder(operation: string, path: string): Promise<void> {
  const made = async (): Promise<boolean> =>
    await mkdir(path).then(
      () => true,
      async (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST' && (await stat(path)).isDirectory()) return true
        if (error.code === 'ENOENT') return false
        throw error
      }
    )
  if (await onDisk(operation, path, made)) return
  if (dirname(path) !== path) await makeFolder(operation, dirname(path))
  if (await onDisk(operation, path, made)) return
  throw new P2plError({
    code: 'STORAGE',
    operation,
    message: `${JSON.stringify(path)} cannot be made: ${JSON.stringify(dirname(path))} takes no folders`
  })
}

/** Throws `INVALID_ARGUMENT` unless it is the path of a folder. */
export function checkPath(operation: string, path: unknown): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return
  throw invalidArgument(operation, `${operation}: the path of a folder is non-empty text, not ${describe(path)}`)
}

/** Runs a call of the file system. All errors that it throws are typed. */
export async function onDisk<T>(operation: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    const code = String((cause as { code?: unknown } | null)?.code)
    const place = JSON.stringify(path)
    if (code === 'EEXIST') {
      throw new P2plError({
        code: 'INVALID_CONTENT',
        operation,
        cause,
        message: `${place} is there already: the directory has this name twice, or two that this file system takes for one`
      })
    }
    throw new P2plError({
      code: nothingThere.has(code) ? 'INVALID_ARGUMENT' : 'STORAGE',
      operation,
      cause,
      message: nothingThere.has(code)
        ? `${place} does not exist (${code})`
        : `${place} cannot be read or written: ${errorMessage(cause)}`
    })
  }
}
