import { lstat, mkdir } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { checkFunction, checkKeys, checkWord, invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { listKeys } from '../blocks.ts'
import type { Entry, ListOptions, PathInput, UnixFS, WalkEntry } from '../types.ts'
import { checkPath, makeFolder, onDisk } from './disk.ts'
import { leftovers } from './leftovers.ts'
import { assertLocalName } from './local-names.ts'
import { writeFile } from './write-file.ts'

export interface ToFolderOptions extends ListOptions {
  /** What to do with symlinks. They are never created, since they could lead out of the folder. Default `error`. */
  symlinks?: 'error' | 'skip' | undefined
  /**
   * Maximum number of files and folders. More end the call with `TOO_LARGE`. Default 1,000,000. The limit matters because a
   * few blocks that are linked repeatedly may stand for any number of entries.
   */
  maxEntries?: number | undefined
  /**
   * Maximum bytes of content in total. More end the call with `TOO_LARGE`. Default `Infinity`: set it to what your disk can
   * take.
   */
  maxBytes?: number | undefined
  /** Called after each complete file or folder. */
  onEntry?: ((entry: Entry) => void) | undefined
  /** Called once before the first write, and after each chunk. An error that it throws ends the call. */
  onProgress?: ((progress: ToFolderProgress) => void) | undefined
}

export interface ToFolderProgress {
  /** Bytes of content on disk, including those of an earlier call. */
  readonly bytes: number
  /** Bytes of content in total, according to the directory; absent if the directory does not tell. */
  readonly total?: number | undefined
  /** Number of complete files. */
  readonly files: number
}

/** What is on disk now, including the files of an earlier call. */
export interface ToFolderResult {
  readonly files: number
  readonly bytes: number
}

const operation = 'unixfs.toFolder'

/**
 * Writes a directory of the network to a folder on disk. Nothing outside of the folder is touched, whatever the names are,
 * and nothing is overwritten: `path` must not exist, must be empty, or must hold only what an earlier call for the same
 * directory left there. In that last case the call continues: complete files stay, and a truncated file gets the rest.
 *
 * The whole directory is examined first. Entries that cannot be read are left out. When everything else is written, the
 * error that names them is thrown.
 */
export async function toFolder(
  folders: UnixFS,
  source: PathInput,
  path: string,
  options: ToFolderOptions = {}
): Promise<ToFolderResult> {
  if (typeof folders?.walk !== 'function') {
    throw invalidArgument(
      operation,
      `${operation}: give it the folders of a peer first: toFolder(unixfs(peer), cid, path)`
    )
  }
  checkPath(operation, path)
  checkKeys(operation, options, [...listKeys, 'symlinks', 'maxEntries', 'maxBytes', 'onEntry', 'onProgress'])
  checkFunction(operation, 'onEntry', options.onEntry)
  checkFunction(operation, 'onProgress', options.onProgress)
  const { onEntry, onProgress, maxEntries = 1_000_000, maxBytes = Infinity, symlinks: given, ...reading } = options
  const symlinks = checkWord(operation, 'symlinks', given, ['error', 'skip'], 'error')
  throwIfAborted(operation, reading.signal)
  for (const [name, value] of Object.entries({ maxEntries, maxBytes })) {
    if (typeof value !== 'number' || !(value >= 0))
      throw invalidArgument(operation, `${name} must be a number from 0, or Infinity, not ${String(value)}`)
  }
  const target = resolvePath(path)
  await assertFolder(target)
  const { entries, failure } = await plan(folders.walk(source, reading), symlinks, maxEntries)
  let total: number | undefined = sizeOf(entries.values())
  if (total !== undefined && total > maxBytes) throw tooLarge(`${total} bytes of content, more than maxBytes`)
  await makeFolder(operation, target)
  const there = await leftovers(target, entries)

  const done = { files: 0, bytes: 0 }
  const report = (): void => onProgress?.({ ...done, ...(total === undefined ? {} : { total }) })
  report()
  for (const [name, entry] of entries) {
    throwIfAborted(operation, reading.signal)
    const place = join(target, ...name.split('/'))
    if (entry.kind === 'directory') {
      if (!there.has(name)) await onDisk(operation, place, () => mkdir(place))
    } else {
      const before = done.bytes
      await writeFile(folders, entry, place, there.get(name), reading, (bytes) => {
        done.bytes += bytes
        if (done.bytes > maxBytes) throw tooLarge('more than maxBytes of content')
        report()
      })
      // A directory may state a wrong size for a file of one block.
      if (total !== undefined) total += done.bytes - before - (entry.size ?? 0)
      done.files++
      report()
    }
    onEntry?.(entry)
  }
  if (failure !== undefined) throw failure.error
  return done
}

/**
 * All entries by path, parents first. A failure of the listing is kept, and the entries that were listed before it are
 * still written.
 */
async function plan(
  walk: AsyncIterable<WalkEntry>,
  symlinks: 'error' | 'skip',
  maxEntries: number
): Promise<{ entries: Map<string, WalkEntry>; failure: { readonly error: unknown } | undefined }> {
  const entries = new Map<string, WalkEntry>()
  let count = 0
  const iterator = walk[Symbol.asyncIterator]()
  for (;;) {
    let item: IteratorResult<WalkEntry>
    try {
      item = await iterator.next()
    } catch (error) {
      if (entries.size === 0) throw error
      return { entries, failure: { error } }
    }
    if (item.done === true) return { entries, failure: undefined }
    const entry = item.value
    try {
      if (++count > maxEntries) throw tooLarge(`more than ${maxEntries} entries: raise maxEntries`)
      // Each name was checked when it was read. This checks what it means on this system.
      for (const name of entry.path.split('/')) assertLocalName(name, operation)
      if (entry.kind === 'symlink') {
        if (symlinks === 'error') throw symlink(entry.path)
      } else if (entries.has(entry.path)) throw twice(entry.path)
      else entries.set(entry.path, entry)
    } catch (error) {
      await iterator.return?.()
      throw error
    }
  }
}

async function assertFolder(target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined)
  if (there?.isDirectory() === false)
    throw invalidArgument(operation, `${JSON.stringify(target)} must be a folder, or not exist`)
}

function sizeOf(entries: Iterable<WalkEntry>): number | undefined {
  let total = 0
  for (const { kind, size } of entries) {
    if (kind === 'directory') continue
    if (size === undefined) return undefined
    total += size
  }
  return total
}

function tooLarge(what: string): P2plError {
  return new P2plError({ code: 'TOO_LARGE', operation, message: `the directory has ${what}` })
}

function symlink(path: string): P2plError {
  return new P2plError({
    code: 'UNSUPPORTED',
    operation,
    message: `${JSON.stringify(path)} is a symlink, which is not made: leave such out with symlinks: "skip"`
  })
}

function twice(path: string): P2plError {
  return new P2plError({
    code: 'INVALID_CONTENT',
    operation,
    message: `the directory has two entries ${JSON.stringify(path)}`
  })
}
