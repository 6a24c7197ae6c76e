import type { ReadOptions } from '@p2pl/core'
import { checkKeys, isP2plError, P2plError, throwIfAborted } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { listKeys, type NodeReader, nodeReader } from './blocks.ts'
import { findLink } from './directory.ts'
import { parsePath } from './path.ts'
import type { ListOptions, PathInput, Stat, UnixFSPeer } from './types.ts'
import type { Node } from './unixfs-node.ts'

export async function resolve(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): Promise<CID> {
  const operation = 'unixfs.resolve'
  checkKeys(operation, options, listKeys)
  throwIfAborted(operation, options.signal)
  return await follow(nodeReader(peer, options, operation), input, operation)
}

/** Follows a path name by name. The root is read only if there are names. */
async function follow(read: NodeReader, input: PathInput, operation: string): Promise<CID> {
  const { root, names } = parsePath(input, operation)
  let cid = root
  for (const name of names) {
    const directory = await read(cid)
    if (directory.stat.kind !== 'directory') throw notADirectory(cid, operation, name)
    const next = await findLink(directory, name, read)
    if (next === undefined) throw noEntry(cid, operation, name)
    cid = next
  }
  return cid
}

export async function* get(peer: UnixFSPeer, input: PathInput, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
  const operation = 'unixfs.get'
  throwIfAborted(operation, options.signal)
  const read = nodeReader(peer, options, operation)
  const cid = await follow(read, input, operation)
  try {
    yield* peer.data.get(cid, options)
  } catch (error) {
    if (!isP2plError(error, 'UNSUPPORTED')) throw error
    throw notAFile(await read(cid), operation) ?? error
  }
}

export async function stat(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): Promise<Stat> {
  return (await openPath(peer, input, options, 'unixfs.stat')).node.stat
}

/** The node at the end of a path, and the reader for other nodes. */
export async function openPath(
  peer: UnixFSPeer,
  input: PathInput,
  options: ListOptions,
  operation: string
): Promise<{ node: Node; read: NodeReader }> {
  checkKeys(operation, options, listKeys)
  throwIfAborted(operation, options.signal)
  const read = nodeReader(peer, options, operation)
  return { node: await read(await follow(read, input, operation)), read }
}

function noEntry(directory: CID, operation: string, name: string): P2plError {
  return new P2plError({
    code: 'NOT_FOUND',
    retryable: false,
    operation,
    message: `the directory ${directory.toString()} has no entry ${JSON.stringify(name)}`
  })
}

export function notADirectory(cid: CID, operation: string, name?: string): P2plError {
  const what = name === undefined ? 'it cannot be listed' : `it has no ${JSON.stringify(name)}`
  return new P2plError({
    code: name === undefined ? 'INVALID_ARGUMENT' : 'NOT_FOUND',
    retryable: false,
    operation,
    message: `${cid.toString()} is no directory: ${what}`
  })
}

function notAFile({ stat: { cid, kind, target } }: Node, operation: string): P2plError | undefined {
  if (kind !== 'directory' && kind !== 'symlink') return undefined
  return new P2plError({
    code: 'UNSUPPORTED',
    operation,
    message:
      kind === 'directory'
        ? `${cid.toString()} is a directory: list it with ls or walk, or write it to disk with toFolder`
        : `${cid.toString()} is a symlink to ${JSON.stringify(target)}, and symlinks are not followed: get that path, if you trust it`
  })
}
