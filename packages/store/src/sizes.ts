import type { FileSystem } from './node.ts'
import { groupBytes } from './write-queue.ts'

export interface DatabaseSizes {
  /** Bytes that LevelDB collects in memory, and in a log, before it sorts them into a file. */
  readonly writeBufferSize: number
  /** Bytes of a sorted file. */
  readonly maxFileSize: number
  /** The most that is reserved for the time when the disk is full. */
  readonly reserve: number
}

const mebibyte = 1_048_576

/** What suits the disk: on a small one LevelDB copies less at a time, and so needs less in reserve. */
export async function sizesFor(files: FileSystem | undefined, folder: string): Promise<DatabaseSizes> {
  let disk = Infinity
  if (files !== undefined) {
    const { blocks, bsize } = await files.statfs(folder)
    disk = blocks * bsize
  }
  const writeBufferSize = between(mebibyte, Math.floor(disk / 64), 4 * mebibyte)
  const maxFileSize = between(mebibyte / 4, Math.floor(disk / 128), 2 * mebibyte)
  // It opens by copying two logs, and compacts either what was just sorted with the first level, or a file with a dozen below it.
  const opening = 2 * (writeBufferSize + groupBytes)
  const compacting = Math.max(4 * writeBufferSize + 12 * mebibyte, 13 * maxFileSize)
  return { writeBufferSize, maxFileSize, reserve: opening + compacting }
}

function between(least: number, wanted: number, most: number): number {
  return Math.max(least, Math.min(wanted, most))
}
