// The one file of this package that needs Node; it is a door of its own.
/* oxlint-disable no-restricted-imports */
import { createReadStream } from 'node:fs'
import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { onDisk } from './disk-error.ts'
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
  const operation = 'unixfs.fromFolder'
  const { hidden = false, others = 'error' } = options
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

export interface ToFolderOptions extends ListOptions {
  /** What to do with symlinks: they are never made, since they could lead out of the folder. Default `error`. */
  symlinks?: 'error' | 'skip' | undefined
  /**
   * Most files and folders; more end the call with `TOO_LARGE`. Default 1,000,000: a few blocks that are linked over and
   * over may stand for any number.
   */
  maxEntries?: number | undefined
  /** Most bytes of content in all; more end the call with `TOO_LARGE`. Default `Infinity`: give what your disk may take. */
  maxBytes?: number | undefined
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
  const { symlinks = 'error', onEntry, maxEntries = 1_000_000, maxBytes = Infinity, ...listOptions } = options
  throwIfAborted(operation, options.signal)
  for (const [name, value] of Object.entries({ maxEntries, maxBytes })) {
    if (typeof value !== 'number' || !(value >= 0)) {
      throw invalidArgument(operation, `${name} must be a number from 0, or Infinity, not ${String(value)}`)
    }
  }
  const target = resolvePath(path)
  const isEmpty = await onDisk(operation, target, async () => {
    // A file in its place is told below, not by what the system calls it.
    const there = await lstat(target).catch(() => undefined)
    if (there === undefined) await mkdir(target, { recursive: true })
    return (await lstat(target)).isDirectory() && (await readdir(target)).length === 0
  })
  if (!isEmpty) {
    throw invalidArgument(operation, `${JSON.stringify(target)} must be an empty folder, or not exist`)
  }
  const result = { files: 0, bytes: 0 }
  let entries = 0
  for await (const entry of folders.walk(source, listOptions)) {
    // Each name was checked when it was read; here it is checked for what this system makes of it.
    if (++entries > maxEntries) throw tooLarge(operation, `more than ${maxEntries} entries: raise maxEntries`)
    const names = entry.path.split('/')
    for (const name of names) assertLocalName(name, operation)
    const place = join(target, ...names)
    if (entry.kind === 'directory') await onDisk(operation, place, () => mkdir(place))
    else if (entry.kind === 'symlink') {
      if (symlinks === 'skip') continue
      throw new P2plError({
        code: 'UNSUPPORTED',
        operation,
        message: `${JSON.stringify(entry.path)} is a symlink, which is not made: leave such out with symlinks: "skip"`
      })
    } else {
      result.bytes += await writeFile(folders, entry, place, operation, maxBytes - result.bytes, listOptions)
      result.files++
    }
    onEntry?.(entry)
  }
  return result
}

async function writeFile(
  folders: UnixFS,
  entry: Entry,
  place: string,
  operation: string,
  maxBytes: number,
  options: ListOptions
): Promise<number> {
  // `wx` fails where anything is there already, a symlink too: names that a file system takes for equal end here.
  const file = await onDisk(operation, place, () => open(place, 'wx', 0o666))
  let bytes = 0
  try {
    for await (const chunk of folders.get(entry.cid, options)) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge(operation, 'more than maxBytes of content')
      await onDisk(operation, place, () => file.writeFile(chunk))
    }
  } finally {
    await file.close()
  }
  return bytes
}

function tooLarge(operation: string, what: string): P2plError {
  return new P2plError({ code: 'TOO_LARGE', operation, message: `the directory has ${what}` })
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
