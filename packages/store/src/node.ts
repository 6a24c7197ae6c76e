/** The part of `node:fs/promises` that the store uses. */
export interface FileSystem {
  mkdir(path: string, options: { mode?: number }): Promise<unknown>
  readdir(path: string): Promise<string[]>
  stat(path: string): Promise<{ readonly size: number; isDirectory(): boolean }>
  statfs(path: string): Promise<DiskSpace>
  readFile(path: string): Promise<Uint8Array>
  writeFile(path: string, data: Uint8Array | string): Promise<void>
  appendFile(path: string, data: Uint8Array): Promise<void>
  truncate(path: string, length: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  rm(path: string, options: { recursive?: boolean; force?: boolean }): Promise<void>
  access(path: string, mode: number): Promise<void>
  open(path: string, flags: 'r' | 'w'): Promise<OpenFile>
}

/** In blocks and in files; `files` is 0 where the number of files has no limit. */
export interface DiskSpace {
  readonly bavail: number
  readonly blocks: number
  readonly bsize: number
  readonly files: number
  readonly ffree: number
}

export interface OpenFile {
  writeFile(data: Uint8Array): Promise<void>
  sync(): Promise<void>
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  close(): Promise<void>
}

type Checksum = (data: Uint8Array, before?: number) => number

/** A built-in module of Node, or `undefined` in browsers, which run the same code. */
function builtin(id: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } }
  return process?.getBuiltinModule?.(id)
}

export const fileSystem: FileSystem | undefined = builtin('node:fs/promises') as FileSystem | undefined
export const crc32: Checksum | undefined = (builtin('node:zlib') as { readonly crc32?: Checksum } | undefined)?.crc32

const paths = builtin('node:path') as { dirname(path: string): string } | undefined

/**
 * Makes a folder and its parents. It does not use the `recursive` option of Node's `mkdir`: on a read-only disk that
 * option reports a missing folder, and on some file systems it never returns.
 */
export async function makeFolder(files: FileSystem, path: string, mode?: number): Promise<void> {
  const made = async (): Promise<boolean> => {
    try {
      await files.mkdir(path, mode === undefined ? {} : { mode })
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'ENOENT') return false
      if (code !== 'EEXIST' || !(await files.stat(path)).isDirectory()) throw error
    }
    return true
  }
  if (await made()) return
  const parent = paths?.dirname(path) ?? path
  if (parent !== path) await makeFolder(files, parent, mode)
  if (!(await made())) throw new Error(`${path} cannot be made, because ${parent} takes no folders`)
}
