import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { invalidArgument } from '@p2pl/core/backend'
import { fileCid } from '../file.ts'
import type { ListOptions, UnixFS, WalkEntry } from '../types.ts'
import { onDisk } from './disk.ts'

const operation = 'unixfs.toFolder'

/**
 * Writes one file, or the rest of a file of which `size` bytes are on disk. `onBytes` also reports the bytes that are
 * already on disk. These are compared first, and never changed.
 */
export async function writeFile(
  folders: UnixFS,
  entry: WalkEntry,
  place: string,
  size: number | undefined,
  options: ListOptions,
  onBytes: (bytes: number) => void
): Promise<void> {
  if (size !== undefined && size === entry.size && (await isWhole(entry, place))) {
    onBytes(size)
    return
  }
  // `wx` fails if anything is there already, even a symlink. It also fails for names that the file system treats as equal.
  const file = await onDisk(operation, place, () => open(place, size === undefined ? 'wx' : 'r+', 0o666))
  try {
    let at = 0
    for await (const chunk of folders.get(entry.cid, options)) {
      const known = Math.min(chunk.byteLength, Math.max(0, (size ?? 0) - at))
      if (known > 0) await compare(file, chunk.subarray(0, known), at, place)
      if (known < chunk.byteLength) await write(file, chunk.subarray(known), at + known, place)
      at += chunk.byteLength
      onBytes(chunk.byteLength)
    }
    if (size !== undefined && size > at) throw another(place)
  } finally {
    await file.close()
  }
}

/**
 * Compares by hash, which needs no other peer. Files that others laid out, or that have mode or mtime, have other CIDs, so
 * their bytes are compared.
 */
async function isWhole(entry: WalkEntry, place: string): Promise<boolean> {
  const stream = createReadStream(place, { highWaterMark: 1_048_576 })
  const cid = await onDisk(operation, place, () => fileCid(stream))
  return cid.equals(entry.cid)
}

async function compare(file: FileHandle, expected: Uint8Array, at: number, place: string): Promise<void> {
  const found = new Uint8Array(expected.byteLength)
  const { bytesRead } = await onDisk(operation, place, () => file.read(found, 0, found.byteLength, at))
  if (bytesRead !== expected.byteLength || Buffer.compare(found, expected) !== 0) throw another(place)
}

async function write(file: FileHandle, bytes: Uint8Array, at: number, place: string): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const offset = written
    const result = await onDisk(operation, place, () =>
      file.write(bytes, offset, bytes.byteLength - offset, at + offset)
    )
    written += result.bytesWritten
  }
}

function another(place: string): Error {
  return invalidArgument(
    operation,
    `${JSON.stringify(place)} has other content than the file of the directory: move it away`
  )
}
