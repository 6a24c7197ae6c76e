import { P2plError } from '@p2pl/core'
import type { Placed } from './file.ts'
import type { Mtime } from './types.ts'

export interface Folder {
  readonly children: Map<string, Folder | Placed>
  /** Whether it had an entry of its own, rather than only entries below it. */
  explicit: boolean
  mode: number | undefined
  mtime: Mtime | undefined
}

export function newFolder(): Folder {
  return { children: new Map(), explicit: false, mode: undefined, mtime: undefined }
}

export function isFolder(child: Folder | Placed): child is Folder {
  return 'children' in child
}

/** The folder that will hold the last of `names`. Creates missing folders. */
export function parentOf(root: Folder, names: readonly string[], operation: string): Folder {
  let folder = root
  for (const name of names.slice(0, -1)) folder = folderIn(folder, name, names, operation)
  return folder
}

export function folderIn(parent: Folder, name: string, names: readonly string[], operation: string): Folder {
  const known = parent.children.get(name)
  if (known !== undefined && !isFolder(known)) throw twice(names, operation, `"${name}" is a file and a directory`)
  if (known !== undefined) return known
  const made = newFolder()
  parent.children.set(name, made)
  return made
}

export function twice(names: readonly string[], operation: string, reason: string): P2plError {
  return new P2plError({
    code: 'INVALID_ARGUMENT',
    operation,
    message: `the path ${JSON.stringify(names.join('/'))} contradicts an earlier entry: ${reason}`
  })
}
