import { entryOf } from '../../tools/bencode.ts'
import { parseInfo, type TorrentInfo } from './info.ts'

const maxFileBytes: number = 32 * 1024 * 1024

/**
 * The info in a `.torrent` file. Its infohash is that of its unchanged bytes, canonical or not. Throws like
 * `parseInfo`.
 */
export function infoOfFile(file: Uint8Array): TorrentInfo {
  if (file.byteLength > maxFileBytes) throw new RangeError(`a .torrent file has at most ${maxFileBytes} bytes`)
  const info = entryOf(file, 'info')
  if (info === undefined) throw new RangeError('it has no info')
  return parseInfo(new Uint8Array(info))
}
