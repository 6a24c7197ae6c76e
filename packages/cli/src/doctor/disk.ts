import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { explained, formatBytes } from '../tools/index.ts'
import { type Check, failed, ok } from './check.ts'

/** The minimum that an engine needs for its own records, in bytes. */
const least = 16_000_000
const comfortable = 1_000_000_000
const probeBytes = 65_536

/** Whether the folder, or its future parent, has room and can be written. */
export async function checkDisk(folder: string): Promise<Check> {
  const { place, isFolder } = await firstThere(folder)
  if (!isFolder)
    return {
      name: 'folder',
      status: 'fail',
      message: `${place} is a file, not a folder`,
      fix: 'choose a folder with --dir'
    }
  const { bavail, bsize } = await statfs(place)
  const left = bavail * bsize
  const room = `the disk of ${folder} has ${formatBytes(left)} left`
  if (left < least)
    return {
      name: 'disk',
      status: 'fail',
      message: `${room}: it is full`,
      fix: 'make room, or choose a folder on another disk with --dir'
    }
  try {
    await probe(place)
  } catch (error) {
    return failed('folder', explained(error), 'change the permissions of the folder, or choose another one with --dir')
  }
  if (left < comfortable) return { name: 'disk', status: 'warn', message: room, fix: 'make room' }
  return ok('disk', `${room}, and the folder can be written to`)
}

async function firstThere(path: string): Promise<{ place: string; isFolder: boolean }> {
  for (let at = path; ; at = dirname(at)) {
    const there = await stat(at).catch(() => undefined)
    if (there !== undefined || dirname(at) === at) return { place: at, isFolder: there?.isDirectory() !== false }
  }
}

/** Writes a file, and removes it. */
async function probe(folder: string): Promise<void> {
  const path = join(folder, `.p2pl-doctor-${process.pid}`)
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write(Buffer.alloc(probeBytes))
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
