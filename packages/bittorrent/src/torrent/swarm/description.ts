import type { ParsedTorrent } from 'webtorrent'
import { hexOf } from '../../tools/bytes.ts'
import { hashLength, pieceCount, pieceSize, type TorrentInfo } from '../metainfo/info.ts'

/**
 * A torrent in the form that the library needs, made from the info that was parsed here. The library would parse it
 * again, encode it in its own order, and so give it another infohash. The description has a single file: all bytes of
 * the pieces.
 */
export function describe(info: TorrentInfo): ParsedTorrent {
  const count = pieceCount(info)
  const hashes = hexOf(info.pieces)
  const digits = hashLength * 2
  return {
    infoHash: hexOf(info.infoHash),
    // Only has to exist.
    info: {},
    name: info.name,
    announce: [],
    urlList: [],
    files: [{ path: info.name, name: info.name, length: info.total, offset: 0 }],
    length: info.total,
    pieceLength: info.pieceLength,
    lastPieceLength: pieceSize(info, count - 1),
    pieces: Array.from({ length: count }, (_, index) => hashes.slice(index * digits, (index + 1) * digits))
  }
}

/** What the library assumes to be here at first: nothing. Otherwise it would read every piece to find out. */
export function nothing(info: TorrentInfo): Uint8Array {
  return new Uint8Array(Math.ceil(pieceCount(info) / 8))
}
