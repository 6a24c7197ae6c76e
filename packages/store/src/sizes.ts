import type { FileSystem } from './node.ts'
import { groupBytes } from './write-queue.ts'

export interface DatabaseSizes {
  /** The number of bytes that LevelDB collects in memory and in a log before it sorts them into a file. */
  readonly writeBufferSize: number
  /** The size of a sorted file in bytes. */
  readonly maxFileSize: number
  /** The largest reserve for a full disk, in bytes. */
  readonly reserve: number
}

const mebibyte = 1_048_576

/** Chooses sizes that suit the disk. On a small disk LevelDB copies less at a time, and so needs a smaller reserve. */
export async function sizesFor(files: FileSystem | undefined, folder: string): Promise<DatabaseSizes> {
  let disk = Infinity
  if (files !== undefined) {
    const { blocks, bsize } = await files.statfs(folder)
    disk = blocks * bsize
  }
  const writeBufferSize = between(mebibyte, Math.floor(disk / 64), 4 * mebibyte)
  const maxFileSize = between(mebibyte / 4, Math.floor(disk / 128), 2 * mebibyte)
  // LevelDB opens by copying two logs. It compacts either a new file with the first level, or a file with a dozen files
  // of the level below.
  const opening = 2 * (writeBufferSize + groupBytes)
  const compacting = Math.max(4 * writeBufferSize + 12 * mebibyte, 13 * maxFileSize)
  return { writeBufferSize, maxFileSize, reserve: opening + compacting }
}

function between(least: number, wanted: number, most: number): number {
  return Math.max(least, Math.min(wanted, most))
}
