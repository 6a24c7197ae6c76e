import type { Block, DataSource } from '@p2pl/core'
import {
  checkFlag,
  checkFunction,
  checkKeys,
  invalidArgument,
  Slots,
  unsupported,
  untilAborted
} from '@p2pl/core/backend'
import { Batches, type Countdown, withProgressTimeout } from '@p2pl/core/content'
import type { WritableStorage } from 'ipfs-unixfs-importer'
import { layOut, type Placed } from './file.ts'
import { writeFolder } from './folder.ts'
import { checkMetadata } from './metadata.ts'
import { namesOf } from './names.ts'
import { type Folder, folderIn, newFolder, parentOf, twice } from './tree.ts'
import type { AddDirectoryOptions, AddDirectoryResult, AddProgress, DirectoryEntry, UnixFSPeer } from './types.ts'

const operation = 'unixfs.addDirectory'
/** Default for milliseconds without progress, the same as `put` of a peer's timeouts. */
const defaultTimeout = 60_000
const filesAtOnce = 8

type Entries = Iterable<DirectoryEntry> | AsyncIterable<DirectoryEntry>

export async function addDirectory(
  peer: UnixFSPeer,
  entries: Entries,
  options: AddDirectoryOptions = {}
): Promise<AddDirectoryResult> {
  checkKeys(operation, options, ['signal', 'timeout', 'pin', 'onProgress'])
  checkFlag(operation, 'pin', options.pin)
  checkFunction(operation, 'onProgress', options.onProgress)
  const pin = mayPin(peer, options.pin)
  const { clock } = peer.environment
  let work: Promise<AddDirectoryResult> | undefined
  try {
    return await withProgressTimeout(clock, options, defaultTimeout, operation, async (countdown) => {
      // Stored blocks are not pinned until all of them are there, so `gc` has to wait.
      return await peer.data.protect(
        async () => await (work = write(peer, entries, pin, countdown, options.onProgress))
      )
    })
  } finally {
    // The work ends at once with the countdown. By then it has told the sources.
    await work?.catch(() => undefined)
  }
}

async function write(
  peer: UnixFSPeer,
  entries: Entries,
  pin: boolean,
  countdown: Countdown,
  onProgress: AddDirectoryOptions['onProgress']
): Promise<AddDirectoryResult> {
  const { signal } = countdown
  const batches = new Batches(async (blocks) => {
    await peer.blocks.putMany(blocks, { signal, timeout: Infinity })
    countdown.renew()
  })
  const root = newFolder()
  await addFiles(root, entries, batches, countdown, onProgress)
  const { cid, blockBytes } = await writeFolder(root, storage(batches))
  await batches.finish()
  const onPinned = (): void => {
    countdown.renew()
  }
  if (pin) await peer.data.pin(cid, { signal, timeout: Infinity, onProgress: onPinned })
  return { cid, size: blockBytes }
}

/** Takes the place of a file until the file is stored. */
const pending = {} as Placed

/** Stores the files, several at a time, and puts the results into their places. */
async function addFiles(
  root: Folder,
  entries: Entries,
  batches: Batches,
  countdown: Countdown,
  onProgress: AddDirectoryOptions['onProgress']
): Promise<void> {
  const progress: { -readonly [K in keyof AddProgress]: AddProgress[K] } = { bytes: 0, files: 0 }
  const slots = new Slots(filesAtOnce)
  const tasks = new Set<Promise<void>>()
  const failed = new AbortController()
  const addFile = async (content: DataSource, entry: DirectoryEntry): Promise<Placed> =>
    await layOut(content, entry, {
      operation,
      store: async (blocks) => {
        for (const block of blocks) await batches.add(block)
      },
      next: async (work) => {
        // Another file may fail while this one waits.
        const item = await untilAborted(countdown.race(work), failed.signal)
        countdown.renew()
        progress.bytes += bytesOf(item)
        onProgress?.({ ...progress })
        failed.signal.throwIfAborted()
        return item
      }
    })
  try {
    for await (const entry of inTime(entries, countdown)) {
      checkKeys(`${operation}: an entry`, entry, ['path', 'content', 'mode', 'mtime'])
      const names = namesOf(entry.path, operation)
      checkMetadata(entry, operation)
      const parent = parentOf(root, names, operation)
      const name = names.at(-1) as string
      const { content } = entry
      if (content === undefined) {
        const folder = folderIn(parent, name, names, operation)
        if (folder.explicit) throw twice(names, operation, 'it was given before')
        Object.assign(folder, { explicit: true, mode: entry.mode, mtime: entry.mtime })
        continue
      }
      if (parent.children.has(name)) throw twice(names, operation, 'it was given before')
      parent.children.set(name, pending)
      const leave = await slots.enter(failed.signal)
      const task: Promise<void> = addFile(content, entry)
        .then((placed) => {
          parent.children.set(name, placed)
          progress.files++
          onProgress?.({ ...progress })
        })
        .catch((error: unknown) => {
          failed.abort(error)
        })
        .finally(() => {
          tasks.delete(task)
          leave()
        })
      tasks.add(task)
      failed.signal.throwIfAborted()
    }
  } catch (error) {
    // Also ends files that are under way.
    failed.abort(error)
    throw error
  } finally {
    await Promise.all(tasks)
  }
  failed.signal.throwIfAborted()
}

function bytesOf(item: unknown): number {
  const { value } = item as IteratorResult<Uint8Array | undefined>
  return value?.byteLength ?? 0
}

/** The entries, until the countdown fires, even while their source is silent. */
async function* inTime(entries: Entries, countdown: Countdown): AsyncGenerator<DirectoryEntry> {
  const iterator = iteratorOf(entries)
  let exhausted = false
  try {
    for (;;) {
      const item = await countdown.race(Promise.resolve(iterator.next()))
      countdown.renew()
      if (item.done === true) {
        exhausted = true
        return
      }
      yield item.value
    }
  } finally {
    // Not awaited, because a source that hangs would hold up the error.
    if (!exhausted) void end(iterator).catch(() => undefined)
  }
}

function iteratorOf(entries: Entries): Iterator<DirectoryEntry> | AsyncIterator<DirectoryEntry> {
  if (typeof entries === 'object' && entries !== null) {
    if (Symbol.asyncIterator in entries) return entries[Symbol.asyncIterator]()
    if (Symbol.iterator in entries) return entries[Symbol.iterator]()
  }
  throw invalidArgument(operation, 'the entries must be an (async) iterable of { path, content? }')
}

async function end(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  await iterator.return?.()
}

function storage(batches: Batches): WritableStorage {
  return {
    async put(cid, bytes) {
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the importer gave a block that is no Uint8Array')
      const block: Block = { cid, bytes }
      await batches.add(block)
      return cid
    }
  }
}

function mayPin(peer: UnixFSPeer, pin: boolean | undefined): boolean {
  const canPin = (peer.capabilities.blocks?.pins ?? 'none') !== 'none'
  if (pin === true && !canPin) throw unsupported('data', `${operation} with pin: true`, 'it has no pins')
  return pin ?? canPin
}
