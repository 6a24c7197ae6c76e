import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { failure } from '../errors.ts'

/** A file of ours inside a repo. */
export function ownFile(repo: string, name: string): string {
  return join(repo, 'p2pl', name)
}

/** Replaces the file with a complete new one that only its owner can read. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path))
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/**
 * Makes a folder that only its owner can use, and its parents. It does not use the `recursive` option of Node's
 * `mkdir`: on a read-only disk that option reports a missing folder, and on some file systems it never returns. Throws
 * `STORAGE`.
 */
export async function makeFolder(path: string): Promise<void> {
  const made = async (): Promise<boolean> =>
    await mkdir(path, { mode: 0o700 }).then(
      () => true,
      async (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return false
        if (cause.code === 'EEXIST' && (await stat(path)).isDirectory()) return true
        throw failure('STORAGE', 'start', `${path} cannot be made: ${cause.message}`, { cause })
      }
    )
  if (await made()) return
  if (dirname(path) !== path) await makeFolder(dirname(path))
  if (await made()) return
  throw failure(
    'STORAGE',
    'start',
    `${path} cannot be made, because ${dirname(path)} takes no folders: use another folder`
  )
}
