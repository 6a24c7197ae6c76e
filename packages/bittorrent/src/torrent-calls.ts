import type { AbortOptions, Backend, BlockTransport, MessageTransport, RoutingTransport } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { ImportOptions, ImportResult } from './torrent/import/types.ts'

/** What this backend can do beyond the port. */
export interface TorrentCalls {
  /**
   * A magnet link of the file, for any BitTorrent client. The file must be stored here; it is seeded from now on, as all files
   * of more than one block are that are provided. `NOT_FOUND` when its root is not stored here, `UNSUPPORTED` when a part of it
   * is missing, and when it is empty, no file, or not laid out in raw leaves of 1 MiB.
   */
  magnet(cid: CID, options?: AbortOptions): Promise<string>
  /**
   * Downloads the one file of a torrent, from a magnet link or the bytes of a `.torrent` file, and stores it as blocks. Looks
   * for peers that seed it until the signal fires. The result is not pinned. An import that was broken off goes on where it
   * stood, also after a restart with `dir`, and nothing is fetched that is stored here. `INVALID_ARGUMENT` when the source is
   * not a torrent, `UNSUPPORTED` when it is one that cannot be taken in, such as one of several files or of BitTorrent v2 only.
   */
  importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult>
  /**
   * The key with which this peer says in the DHT which torrents its files are (BEP 44, BEP 46): `urn:btpk:` and 64 hexadecimal
   * digits. Stays the same with `dir`. Throws `NOT_RUNNING` before `start`.
   */
  publisher(): string
  /**
   * A magnet link of the torrent that the publisher, given as its key, says to be the file; for `importTorrent`, or any
   * client. The publisher need not be there any more. `NOT_FOUND` when nobody who can be asked knows of it.
   */
  findTorrent(cid: CID, publisher: string, options?: AbortOptions): Promise<string>
}

/**
 * A backend that has all three parts of the port, and calls for torrents. Its `engine` is of no declared type: users do not have
 * the libraries that it is made of.
 */
export interface BittorrentBackend extends Backend, TorrentCalls {
  readonly messages: MessageTransport
  readonly blocks: BlockTransport
  readonly routing: RoutingTransport
}
