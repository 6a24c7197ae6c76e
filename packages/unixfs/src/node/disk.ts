import { P2plError } from '@p2pl/core/backend'

const nothingThere: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])

/** Runs a call of the file system; what it throws is typed. */
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
        : `${place} cannot be read or written: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  }
}
