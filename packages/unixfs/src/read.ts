import type { ReadOptions } from '@p2pl/core'
import { isP2plError, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { exporter, walkPath } from 'ipfs-unixfs-exporter'
import type { ReadableStorage, UnixFSEntry } from 'ipfs-unixfs-exporter'
import { CID } from 'multiformats/cid'
import { assertSafeName, maxDepth, wrongName } from './names.ts'
import { readableStorage } from './store.ts'
import type { Entry, ListOptions, PathInput, Stat, UnixFSPeer } from './types.ts'

/** Entries of a directory that are looked at ahead of the reader. */
const lookAhead = 16

export async function resolve(
  peer: UnixFSPeer,
  input: PathInput,
  options: ListOptions = {},
  operation = 'unixfs.resolve'
): Promise<CID> {
  throwIfAborted(operation, options.signal)
  const { root, names } = parse(input, operation)
  const store = readableStorage(peer, options, operation)
  let cid = root
  for (const name of names) {
    const directory = await open(cid, store, options, operation)
    if (directory.type !== 'directory') throw notADirectory(directory.cid, operation, name)
    cid = await child(directory.cid, name, store, options, operation)
  }
  return cid
}

export async function* get(peer: UnixFSPeer, input: PathInput, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
  yield* peer.data.get(await resolve(peer, input, options, 'unixfs.get'), options)
}

export async function stat(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): Promise<Stat> {
  const operation = 'unixfs.stat'
  const cid = await resolve(peer, input, options, operation)
  return describe(await open(cid, readableStorage(peer, options, operation), options, operation), operation)
}

/** `path`: where the directory lies below the place where walking began. */
export async function* ls(
  peer: UnixFSPeer,
  input: PathInput,
  options: ListOptions = {},
  operation = 'unixfs.ls',
  path = ''
): AsyncGenerator<Entry> {
  const cid = await resolve(peer, input, options, operation)
  const store = readableStorage(peer, options, operation)
  const directory = await open(cid, readableStorage(peer, options, operation, cid), options, operation)
  if (directory.type !== 'directory') throw notADirectory(cid, operation)
  const ahead: Promise<Entry>[] = []
  const look = async (name: string, at: CID): Promise<Entry> => {
    assertSafeName(name, cid.toString(), operation)
    const found = describe(await open(CID.asCID(at) as CID, store, options, operation), operation)
    return { name, path: path === '' ? name : `${path}/${name}`, ...found }
  }
  for await (const link of classified(directory.entries(exporterOptions(options)), operation)) {
    const entry = look(link.name, link.cid)
    // It is awaited in its turn; until then nobody else may see its failure.
    entry.catch(() => undefined)
    ahead.push(entry)
    if (ahead.length === lookAhead) yield await (ahead.shift() as Promise<Entry>)
  }
  for (const entry of ahead) yield await entry
}

export async function* walk(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): AsyncGenerator<Entry> {
  const operation = 'unixfs.walk'
  yield* walkBelow(peer, await resolve(peer, input, options, operation), options, operation, '', 1)
}

async function* walkBelow(
  peer: UnixFSPeer,
  cid: CID,
  options: ListOptions,
  operation: string,
  path: string,
  depth: number
): AsyncGenerator<Entry> {
  if (depth > maxDepth) {
    throw new P2plError({
      code: 'INVALID_CONTENT',
      operation,
      message: `${cid.toString()} lies more than ${maxDepth} directories deep`
    })
  }
  for await (const entry of ls(peer, cid, options, operation, path)) {
    yield entry
    if (entry.kind === 'directory') yield* walkBelow(peer, entry.cid, options, operation, entry.path, depth + 1)
  }
}

function parse(input: PathInput, operation: string): { root: CID; names: string[] } {
  if (typeof input !== 'string') {
    const cid = CID.asCID(input)
    if (cid !== null) return { root: cid, names: [] }
    throw wrongInput(operation, 'expected a CID or a path that starts with one')
  }
  const [first = '', ...names] = input.replace(/^(?:\/ipfs\/|ipfs:\/\/)/, '').split('/')
  if (names.at(-1) === '') names.pop()
  for (const name of names) {
    const wrong = wrongName(name)
    if (wrong !== undefined)
      throw wrongInput(operation, `the name ${JSON.stringify(name)} cannot be in a path: ${wrong}`)
  }
  try {
    return { root: CID.parse(first), names }
  } catch (cause) {
    throw wrongInput(operation, `${JSON.stringify(first.slice(0, 100))} is no CID; a path is cid/name/name`, cause)
  }
}

function wrongInput(operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, message, cause })
}

async function open(cid: CID, store: ReadableStorage, options: ListOptions, operation: string): Promise<UnixFSEntry> {
  try {
    return await exporter(cid, store, exporterOptions(options))
  } catch (error) {
    throw classify(error, operation)
  }
}

/** One step down a path. Step by step, since the exporter takes `file/name` for `file`. */
async function child(
  directory: CID,
  name: string,
  store: ReadableStorage,
  options: ListOptions,
  operation: string
): Promise<CID> {
  try {
    let found: CID | undefined
    for await (const step of walkPath(`${directory.toString()}/${name}`, store, exporterOptions(options))) {
      if (step.name === name) found = CID.asCID(step.cid) ?? undefined
    }
    if (found !== undefined) return found
  } catch (error) {
    if (!isNamed(error, 'NotFoundError')) throw classify(error, operation)
  }
  throw new P2plError({
    code: 'NOT_FOUND',
    retryable: false,
    operation,
    message: `the directory ${directory.toString()} has no entry ${JSON.stringify(name)}`
  })
}

function describe(entry: UnixFSEntry, operation: string): Stat {
  const cid = CID.asCID(entry.cid) as CID
  if (entry.type === 'raw' || entry.type === 'identity') return { cid, kind: 'file', size: Number(entry.size) }
  if (entry.type === 'object') return { cid, kind: 'block', size: entry.node.byteLength }
  const { unixfs } = entry
  const mtime = unixfs.mtime === undefined ? {} : { mtime: unixfs.mtime }
  // The library fills in a mode where none is stored; the default is the same as none.
  const usual = unixfs.isDirectory() ? 0o755 : 0o644
  const extra = { ...(unixfs.mode === undefined || unixfs.mode === usual ? {} : { mode: unixfs.mode }), ...mtime }
  if (entry.type === 'directory') return { cid, kind: 'directory', ...extra }
  if (unixfs.type === 'symlink') {
    const target = new TextDecoder().decode(unixfs.data ?? new Uint8Array(0))
    return { cid, kind: 'symlink', size: unixfs.data?.byteLength ?? 0, target, ...extra }
  }
  if (unixfs.type === 'metadata') {
    throw new P2plError({
      code: 'INVALID_CONTENT',
      operation,
      message: `${cid.toString()} is UnixFS metadata without content`
    })
  }
  return { cid, kind: 'file', size: Number(unixfs.fileSize()), ...extra }
}

async function* classified<T>(items: AsyncIterable<T>, operation: string): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    throw classify(error, operation)
  }
}

function classify(cause: unknown, operation: string): unknown {
  if (isP2plError(cause)) return cause
  const unknown = isNamed(cause, 'NoResolverError')
  return new P2plError({
    code: unknown ? 'UNSUPPORTED' : 'INVALID_CONTENT',
    operation,
    cause,
    message: unknown ? 'this codec is neither a file nor a directory' : 'this is no valid UnixFS directory or file'
  })
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}

function notADirectory(cid: CID, operation: string, name?: string): P2plError {
  const what = name === undefined ? 'it cannot be listed' : `it has no ${JSON.stringify(name)}`
  return new P2plError({
    code: name === undefined ? 'INVALID_ARGUMENT' : 'NOT_FOUND',
    retryable: false,
    operation,
    message: `${cid.toString()} is no directory: ${what}`
  })
}

function exporterOptions({ signal }: ListOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
