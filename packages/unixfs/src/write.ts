import { invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { UnixFS } from 'ipfs-unixfs'
import { importer } from 'ipfs-unixfs-importer'
import type { ImporterOptions, ImportResult, WritableStorage } from 'ipfs-unixfs-importer'
import { contentOf } from './content.ts'
import { last, layOut, metadata, profile } from './file.ts'
import { namesOf } from './names.ts'
import { type Folder, folderIn, isFolder, newFolder, parentOf, twice } from './tree.ts'
import type { AddDirectoryOptions, AddDirectoryResult, DirectoryEntry, UnixFSPeer } from './types.ts'
import { ProgressDeadline } from './progress-deadline.ts'
import { WriteBehind } from './write-behind.ts'

const operation = 'unixfs.addDirectory'
const filesAtOnce = 8

export async function addDirectory(
  peer: UnixFSPeer,
  entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>,
  options: AddDirectoryOptions = {}
): Promise<AddDirectoryResult> {
  const { signal, deadline } = options
  const pin = mayPin(peer, options.pin)
  const progress = new ProgressDeadline(operation, options)
  let result: ImportResult
  try {
    const writer = new WriteBehind(peer, progress)
    const store = writableStorage(writer)
    const root = newFolder()
    await addFiles(root, entries, store, progress, options.onProgress)
    result = await progress.race(writeFolder(root, store))
    await progress.race(writer.finish())
  } finally {
    progress.close()
  }
  if (pin) await peer.data.pin(result.cid, { signal, deadline })
  return { cid: result.cid, size: Number(result.size) }
}

/** Holds the name of a file until it is stored. */
const pending = {} as ImportResult

/** Stores the files, some at a time, and puts their results in their places. */
async function addFiles(
  root: Folder,
  entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>,
  store: WritableStorage,
  deadline: ProgressDeadline,
  onProgress: AddDirectoryOptions['onProgress']
): Promise<void> {
  const { signal } = deadline
  const progress = { bytes: 0, files: 0 }
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const check = (): void => {
    if (failure !== undefined) throw failure.error
    throwIfAborted(operation, signal)
  }
  const addFile = async (entry: DirectoryEntry, parent: Folder, name: string): Promise<void> => {
    const content = contentOf(entry.content, signal, operation, (bytes) => {
      deadline.renew()
      progress.bytes += bytes
      onProgress?.({ ...progress })
      check()
    })
    parent.children.set(name, await layOut(content, store, entry))
    progress.files++
    onProgress?.({ ...progress })
  }
  try {
    for await (const entry of racing(entries, deadline)) {
      check()
      const names = namesOf(entry.path, operation)
      checkMetadata(entry)
      const parent = parentOf(root, names, operation)
      const name = names.at(-1) as string
      if (entry.content === undefined) {
        const folder = folderIn(parent, name, names, operation)
        if (folder.explicit) throw twice(names, operation, 'it was given before')
        Object.assign(folder, { explicit: true, mode: entry.mode, mtime: entry.mtime })
        continue
      }
      if (parent.children.has(name)) throw twice(names, operation, 'it was given before')
      parent.children.set(name, pending)
      const task: Promise<void> = addFile(entry, parent, name)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => running.delete(task))
      running.add(task)
      while (running.size >= filesAtOnce) await Promise.race(running)
      check()
    }
  } finally {
    await Promise.all(running)
  }
  check()
}

/** The entries, until the signal fires: also while their source is silent. */
async function* racing(
  entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>,
  deadline: ProgressDeadline
): AsyncGenerator<DirectoryEntry> {
  const iterator = iteratorOf(entries)
  let exhausted = false
  try {
    for (;;) {
      const item = await deadline.race(Promise.resolve(iterator.next()))
      deadline.renew()
      if (item.done === true) {
        exhausted = true
        return
      }
      yield item.value
    }
  } finally {
    // Nobody waits: a source that hangs would hold up the error that is to be reported.
    if (!exhausted) void end(iterator).catch(() => undefined)
  }
}

function iteratorOf(
  entries: Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>
): Iterator<DirectoryEntry> | AsyncIterator<DirectoryEntry> {
  if (typeof entries === 'object' && entries !== null) {
    if (Symbol.asyncIterator in entries) return entries[Symbol.asyncIterator]()
    if (Symbol.iterator in entries) return entries[Symbol.iterator]()
  }
  throw invalidArgument(operation, 'the entries must be an (async) iterable of { path, content? }')
}

async function end(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  await iterator.return?.()
}

/** Writes a folder after what it contains: only then does the importer know its size, and whether to shard it. */
async function writeFolder(folder: Folder, store: WritableStorage): Promise<ImportResult> {
  for (const [name, child] of folder.children) {
    if (isFolder(child)) folder.children.set(name, await writeFolder(child, store))
  }
  // The importer lays out directories around results that are there already. The folder itself comes first: it
  // carries mode and mtime.
  const dagBuilder: NonNullable<ImporterOptions['dagBuilder']> = async function* () {
    const own = { path: 'x', unixfs: new UnixFS({ type: 'directory', ...metadata(folder) }) }
    yield async () => own as never
    for (const [name, child] of folder.children) yield async () => ({ ...child, path: `x/${name}` }) as never
  }
  if (folder.children.size > 0) return await last(importer([], store, { ...profile, dagBuilder }))
  return await last(importer([{ path: 'x', ...metadata(folder) }], store, { ...profile }))
}

function writableStorage(writer: WriteBehind): WritableStorage {
  return {
    async put(cid, bytes) {
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the importer gave a block that is no Uint8Array')
      await writer.put({ cid, bytes })
      return cid
    }
  }
}

function checkMetadata({ path, mode, mtime }: DirectoryEntry): void {
  if (mode !== undefined && (!Number.isInteger(mode) || mode < 0 || mode > 0o7777)) {
    throw invalidArgument(operation, `mode of ${JSON.stringify(path)} must be from 0 to 0o7777, not ${String(mode)}`)
  }
  if (mtime === undefined) return
  const { secs, nsecs = 0 } = mtime
  if (typeof secs !== 'bigint' || !Number.isInteger(nsecs) || nsecs < 0 || nsecs > 999_999_999) {
    throw invalidArgument(
      operation,
      `mtime of ${JSON.stringify(path)} must be { secs: bigint, nsecs?: 0 to 999,999,999 }`
    )
  }
  if (secs >= 2n ** 31n && secs < 2n ** 32n) {
    throw new P2plError({
      code: 'UNSUPPORTED',
      operation,
      message: `mtime of ${JSON.stringify(path)} lies after 2038-01-19, which ipfs-unixfs 13 cannot encode: leave it out`
    })
  }
}

function mayPin(peer: UnixFSPeer, pin: boolean | undefined): boolean {
  const canPin = (peer.capabilities.blocks?.pins ?? 'none') !== 'none'
  if (pin === true && !canPin) {
    throw new P2plError({
      code: 'UNSUPPORTED',
      operation,
      message: `${operation} with pin: true needs a data backend that has pins`
    })
  }
  return pin ?? canPin
}
