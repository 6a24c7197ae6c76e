import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { LedgerError } from '../errors.ts'

/** Writes the whole file or nothing, even if the machine stops meanwhile. An existing file is replaced. */
export async function writeDurably(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  await place(path, data, mode, async (temporary) => await rename(temporary, path))
}

/** Like {@link writeDurably}, but throws `EEXIST` when the file already exists. */
export async function createDurably(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  await place(path, data, mode, async (temporary) => {
    // Unlike a rename, a link never replaces an existing file.
    await link(temporary, path)
    await rm(temporary, { force: true })
  })
}

/**
 * Makes a folder and its parents. It does not use the `recursive` option of Node's `mkdir`: on a read-only disk that
 * option reports a missing folder, and on some file systems it never returns.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const made = async (): Promise<string | undefined> =>
    await mkdir(path, { mode }).then(
      () => undefined,
      async (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return error.code
        if (error.code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined
        throw error
      }
    )
  if ((await made()) === undefined) return
  if (dirname(path) !== path) await makeFolder(dirname(path), mode)
  if ((await made()) !== undefined)
    throw new LedgerError('STORAGE', `${path} cannot be made: ${dirname(path)} takes no folders. Choose another place`)
}

export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function place(
  path: string,
  data: Uint8Array | string,
  mode: number,
  put: (temporary: string) => Promise<void>
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await put(temporary)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The name of a file is on disk only once its folder is synced. Windows cannot open a folder, and does not need this. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
