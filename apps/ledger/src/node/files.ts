import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'

/** The whole file or none of it, also when the machine stops meanwhile. What was there is replaced. */
export async function writeDurably(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  await place(path, data, mode, async (temporary) => await rename(temporary, path))
}

/** The same where nothing may be there yet: `EEXIST` otherwise. */
export async function createDurably(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  await place(path, data, mode, async (temporary) => {
    // Unlike a rename, a link never takes the place of a file.
    await link(temporary, path)
    await rm(temporary, { force: true })
  })
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

/** The name of a file is on disk when its folder is. Some systems cannot open a folder, and do not need it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
