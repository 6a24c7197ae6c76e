/** What is used of `node:fs/promises`. */
export interface FileSystem {
  mkdir(path: string, options: { recursive: boolean; mode?: number }): Promise<unknown>
  readdir(path: string): Promise<string[]>
  stat(path: string): Promise<{ readonly size: number }>
  statfs(path: string): Promise<{ readonly bavail: number; readonly blocks: number; readonly bsize: number }>
  readFile(path: string): Promise<Uint8Array>
  writeFile(path: string, data: Uint8Array | string): Promise<void>
  appendFile(path: string, data: Uint8Array): Promise<void>
  truncate(path: string, length: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  rm(path: string, options: { recursive?: boolean; force?: boolean }): Promise<void>
  access(path: string, mode: number): Promise<void>
  open(path: string, flags: 'r' | 'w'): Promise<OpenFile>
}

export interface OpenFile {
  writeFile(data: Uint8Array): Promise<void>
  sync(): Promise<void>
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  close(): Promise<void>
}

type Checksum = (data: Uint8Array, before?: number) => number

/** A module of Node, where the runtime has them: the same code runs in browsers. */
function builtin(id: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } }
  return process?.getBuiltinModule?.(id)
}

export const fileSystem: FileSystem | undefined = builtin('node:fs/promises') as FileSystem | undefined
export const crc32: Checksum | undefined = (builtin('node:zlib') as { readonly crc32?: Checksum } | undefined)?.crc32
