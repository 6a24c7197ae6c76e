import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidArgument } from '@p2pl/core/backend'
import type { WalkEntry } from '../types.ts'
import { onDisk } from './disk.ts'

const operation = 'unixfs.toFolder'

/**
 * What a folder on disk already has of these entries: the size of each file, 0 for a folder. Throws `INVALID_ARGUMENT` if
 * the folder has anything else, since that belongs to somebody else.
 */
export async function leftovers(target: string, entries: ReadonlyMap<string, WalkEntry>): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  await look(target, '')
  return found

  async function look(folder: string, prefix: string): Promise<void> {
    for (const name of await onDisk(operation, folder, () => readdir(folder))) {
      const path = prefix + name
      const place = join(folder, name)
      const status = await onDisk(operation, place, () => lstat(place))
      const entry = entries.get(path)
      const kind = status.isDirectory() ? 'directory' : status.isFile() ? 'file' : 'other'
      if (entry === undefined || kind !== (entry.kind === 'directory' ? 'directory' : 'file'))
        throw invalidArgument(
          operation,
          `${JSON.stringify(target)} must be an empty folder, hold a part of the same directory, or not exist: ${JSON.stringify(path)} is not of it`
        )
      found.set(path, kind === 'file' ? status.size : 0)
      if (kind === 'directory') await look(place, `${path}/`)
    }
  }
}
