import type { AbortOptions, Backend, BlockTransport, MessageTransport, RoutingTransport } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { ImportOptions, ImportResult } from './torrent/import/types.ts'

/** The calls of this backend beyond the port. */
export interface TorrentCalls {
  /**
   * A magnet link of the file, for any BitTorrent client. The file must be stored here. It is seeded from now on, like
   * all provided files of more than one block. Throws `NOT_FOUND` when its root is not stored here. Throws
   * `UNSUPPORTED` when a part of it is missing, and when it is empty, not a file, or not laid out in raw leaves of 1
   * MiB.
   */
  magnet(cid: CID, options?: AbortOptions): Promise<string>
  /**
   * Downloads the single file of a torrent, given by a magnet link or the bytes of a `.torrent` file, and stores it as
   * blocks. Looks for peers that seed it until the signal fires. The result is not pinned. An interrupted import
   * continues where it stopped, after a restart too if there is a `dir`, and blocks that are stored here are not
   * fetched again. Throws `INVALID_ARGUMENT` when the source is not a torrent, and `UNSUPPORTED` when the torrent
   * cannot be imported, for example because it has several files or only BitTorrent v2.
   */
  importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult>
  /**
   * The key with which this peer publishes in the DHT which torrents its files are (BEP 44, BEP 46): `urn:btpk:` and 64
   * hexadecimal digits. It stays the same with `dir`. Throws `NOT_RUNNING` before `start`.
   */
  publisher(): string
  /**
   * A magnet link of the torrent that the publisher, given by its key, has named for the file; for `importTorrent`, or
   * any client. The publisher need not be online. Throws `NOT_FOUND` when no node that can be asked knows of it.
   */
  findTorrent(cid: CID, publisher: string, options?: AbortOptions): Promise<string>
}

/**
 * A backend with all three parts of the port and the calls for torrents. Its `engine` has no declared type, because
 * users do not have the libraries that it is made of.
 */
export interface BittorrentBackend extends Backend, TorrentCalls {
  readonly messages: MessageTransport
  readonly blocks: BlockTransport
  readonly routing: RoutingTransport
}
