import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkFlag, checkKeys, checkWord, invalidArgument, P2plError } from '@p2pl/core/backend'
import type { DirectoryEntry } from '../types.ts'
import { checkPath, onDisk } from './disk.ts'

export interface FromFolderOptions {
  /** Include files and folders whose name starts with a dot. Default false, like `ipfs add -r`. */
  hidden?: boolean | undefined
  /** What to do with symlinks (and sockets, devices, pipes). They are never followed. Default `error`. */
  others?: 'error' | 'skip' | undefined
  /** Store the permission bits, which changes the CID. Default false. */
  mode?: boolean | undefined
  /** Store the modification times, which changes the CID. Default false. */
  mtime?: boolean | undefined
}

/** The entries of a folder on disk, for `addDirectory`, sorted by name. Each file is opened only when it is read. */
export async function* fromFolder(path: string, options: FromFolderOptions = {}): AsyncGenerator<DirectoryEntry> {
  const operation = 'unixfs.fromFolder'
  checkKeys(operation, options, ['hidden', 'others', 'mode', 'mtime'])
  for (const name of ['hidden', 'mode', 'mtime'] as const) checkFlag(operation, name, options[name])
  const others = checkWord(operation, 'others', options.others, ['error', 'skip'], 'error')
  const { hidden = false } = options
  checkPath(operation, path)
  if (!(await onDisk(operation, path, () => lstat(path))).isDirectory()) {
    throw invalidArgument(operation, `${JSON.stringify(path)} is no folder`)
  }
  yield* below(path, '')

  async function* below(folder: string, prefix: string): AsyncGenerator<DirectoryEntry> {
    const found = await onDisk(operation, folder, () => readdir(folder))
    const names = found.filter((name) => hidden || !name.startsWith('.')).sort()
    for (const name of names) {
      const file = join(folder, name)
      const status = await onDisk(operation, file, () => lstat(file, { bigint: true }))
      const entry = {
        path: prefix + name,
        ...(options.mode === true ? { mode: Number(status.mode) & 0o7777 } : {}),
        ...(options.mtime === true
          ? {
              mtime: {
                secs: floorDivide(status.mtimeNs),
                nsecs: Number(status.mtimeNs - floorDivide(status.mtimeNs) * billion)
              }
            }
          : {})
      }
      if (status.isDirectory()) {
        yield entry
        yield* below(file, `${prefix}${name}/`)
      } else if (status.isFile()) {
        yield { ...entry, content: fileContent(file) }
      } else if (others === 'error') {
        throw new P2plError({
          code: 'UNSUPPORTED',
          operation,
          message: `${JSON.stringify(file)} is neither file nor folder: remove it, or leave such entries out with others: "skip"`
        })
      }
    }
  }
}

const billion = 1_000_000_000n

function floorDivide(nanoseconds: bigint): bigint {
  const quotient = nanoseconds / billion
  return nanoseconds % billion < 0n ? quotient - 1n : quotient
}

/** Opens the file only when it is read, so that a folder with any number of files needs few descriptors. */
async function* fileContent(file: string): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = createReadStream(file, { highWaterMark: 256 * 1024 })[
    Symbol.asyncIterator
  ]()
  try {
    for (;;) {
      const item = await onDisk('unixfs.fromFolder', file, () => chunks.next())
      if (item.done === true) return
      yield item.value
    }
  } finally {
    await chunks.return?.()
  }
}
