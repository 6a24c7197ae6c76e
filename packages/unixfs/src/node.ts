// The one file of this package that needs Node; it is a door of its own.
/* oxlint-disable no-restricted-imports */
import { createReadStream } from 'node:fs'
import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { wrongName } from './names.ts'
import type { DirectoryEntry, Entry, ListOptions, PathInput, UnixFS } from './types.ts'

export interface FromFolderOptions {
  /** Files and folders whose name starts with a dot. Default false, like `ipfs add -r`. */
  hidden?: boolean | undefined
  /** What to do with symlinks (and sockets, devices, pipes). They are never followed. Default `error`. */
  others?: 'error' | 'skip' | undefined
  /** Store the permission bits: they change the CID. Default false. */
  mode?: boolean | undefined
  /** Store the modification times: they change the CID. Default false. */
  mtime?: boolean | undefined
}

/** The entries of a folder on disk, for `addDirectory`. Files are opened when they are read, names sorted. */
export async function* fromFolder(path: string, options: FromFolderOptions = {}): AsyncGenerator<DirectoryEntry> {
  const { hidden = false, others = 'error' } = options
  if (!(await lstat(path)).isDirectory()) {
    throw invalidArgument('unixfs.fromFolder', `${JSON.stringify(path)} is no folder`)
  }
  yield* below(path, '')

  async function* below(folder: string, prefix: string): AsyncGenerator<DirectoryEntry> {
    const names = (await readdir(folder)).filter((name) => hidden || !name.startsWith('.')).sort()
    for (const name of names) {
      const file = join(folder, name)
      const status = await lstat(file, { bigint: true })
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
          operation: 'unixfs.fromFolder',
          message: `${JSON.stringify(file)} is neither file nor folder: remove it, or skip such with others: "skip"`
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

/** Opens the file only when it is read, so that a folder of any number of files needs few descriptors. */
async function* fileContent(file: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) yield chunk as Uint8Array
}

export interface ToFolderOptions extends ListOptions {
  /** What to do with symlinks: they are never made, since they could lead out of the folder. Default `error`. */
  symlinks?: 'error' | 'skip' | undefined
  /** Called after each file or folder that was made. */
  onEntry?: ((entry: Entry) => void) | undefined
}

export interface ToFolderResult {
  readonly files: number
  readonly bytes: number
}

/**
 * Writes a directory of the network to a new folder on disk. Nothing outside of it is touched, whatever the names
 * say, and nothing is overwritten: `path` must not exist, or be an empty folder.
 */
export async function toFolder(
  folders: UnixFS,
  source: PathInput,
  path: string,
  options: ToFolderOptions = {}
): Promise<ToFolderResult> {
  const operation = 'unixfs.toFolder'
  const { symlinks = 'error', onEntry, ...listOptions } = options
  throwIfAborted(operation, options.signal)
  const target = resolvePath(path)
  await mkdir(target, { recursive: true })
  if (!(await lstat(target)).isDirectory() || (await readdir(target)).length > 0) {
    throw invalidArgument(operation, `${JSON.stringify(target)} must be an empty folder, or not exist`)
  }
  const result = { files: 0, bytes: 0 }
  for await (const entry of folders.walk(source, listOptions)) {
    // Each name was checked when it was read; here it is checked for what this system makes of it.
    const names = entry.path.split('/')
    for (const name of names) assertLocalName(name, operation)
    const place = join(target, ...names)
    if (entry.kind === 'directory') await mkdir(place)
    else if (entry.kind === 'symlink') {
      if (symlinks === 'skip') continue
      throw new P2plError({
        code: 'UNSUPPORTED',
        operation,
        message: `${JSON.stringify(entry.path)} is a symlink, which is not made: leave such out with symlinks: "skip"`
      })
    } else {
      result.bytes += await writeFile(folders, entry, place, listOptions)
      result.files++
    }
    onEntry?.(entry)
  }
  return result
}

async function writeFile(folders: UnixFS, entry: Entry, place: string, options: ListOptions): Promise<number> {
  // `wx` fails where anything is there already, a symlink too: names that a file system takes for equal end here.
  const file = await open(place, 'wx', 0o666)
  let bytes = 0
  try {
    for await (const chunk of folders.get(entry.cid, options)) {
      await file.writeFile(chunk)
      bytes += chunk.byteLength
    }
  } finally {
    await file.close()
  }
  return bytes
}

/** Names that are harmless in UnixFS and are not on this system. */
function assertLocalName(name: string, operation: string): void {
  const wrong =
    wrongName(name) ??
    (process.platform === 'win32' &&
    (/[<>:"\\|?*]|[. ]$/u.test(name) || hasControlCharacter(name) || reserved.test(name))
      ? 'this system gives it another meaning'
      : undefined)
  if (wrong === undefined) return
  throw new P2plError({
    code: 'INVALID_CONTENT',
    operation,
    message: `the name ${JSON.stringify(name)} cannot be written to disk: ${wrong}`
  })
}

function hasControlCharacter(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20) return true
  return false
}

const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu
