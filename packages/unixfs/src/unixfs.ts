import { invalidArgument } from '@p2pl/core/backend'
import { ls, walk } from './list.ts'
import { get, resolve, stat } from './read.ts'
import type { UnixFS, UnixFSPeer } from './types.ts'
import { addDirectory } from './write.ts'

/** Folders on top of any peer's blocks. The object holds no state, so you may create any number of them. */
export function unixfs(peer: UnixFSPeer): UnixFS {
  if (typeof peer?.data?.add !== 'function' || typeof peer.blocks?.putMany !== 'function') {
    throw invalidArgument('unixfs', 'unixfs: give it a peer, the awaited result of createPeer')
  }
  return {
    addDirectory: (entries, options) => addDirectory(peer, entries, options),
    resolve: (path, options) => resolve(peer, path, options),
    ls: (path, options) => ls(peer, path, options),
    get: (path, options) => get(peer, path, options),
    stat: (path, options) => stat(peer, path, options),
    walk: (path, options) => walk(peer, path, options)
  }
}
