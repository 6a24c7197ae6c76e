import { createHash } from 'node:crypto'
import { compactBytes } from '@p2pl/core/backend'
import { bdecode, bencode, isDictionary, isSize } from '../../tools/bencode.ts'
import { hexOf } from '../../tools/bytes.ts'
import { filesOf } from './files.ts'
import { cleanName } from './names.ts'
import { UnsupportedTorrent } from './unsupported.ts'

/** Every torrent that is made here has pieces of this length, so each piece is one leaf of the file. */
export const pieceLength = 1_048_576
export const infoHashLength = 20
export const hashLength = 20
const maxPieceLength: number = 64 * 1024 * 1024
/** Far more than the largest known torrents have. The library goes through all of them in one turn of the event loop. */
export const maxPieces = 131_072

/** The info dictionary of a torrent with one file (BEP 3). */
export interface TorrentInfo {
  /** The original bytes, from which the infohash is computed. */
  readonly bytes: Uint8Array
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** The name of the file, safe to use. */
  readonly name: string
  /** The length of the file in bytes. */
  readonly length: number
  /** Where the file begins among the bytes of the pieces. */
  readonly offset: number
  /** The bytes of all pieces: those of the file, and padding. */
  readonly total: number
  readonly pieceLength: number
  /** The sha1 of each piece, concatenated. */
  readonly pieces: Uint8Array
  /** Whether its peers are known only to its trackers (BEP 27). */
  readonly private: boolean
}

export function sha1(bytes: Uint8Array): Uint8Array {
  return compactBytes(createHash('sha1').update(bytes).digest())
}

/** Equal content and name give equal torrents, because nothing else is hashed. */
export function makeInfo(name: string, length: number, pieces: Uint8Array): TorrentInfo {
  const bytes = bencode({ length, name: compactBytes(Buffer.from(name)), 'piece length': pieceLength, pieces })
  const about = { name, length, offset: 0, total: length, pieceLength, pieces, private: false }
  return { bytes, infoHash: sha1(bytes), ...about }
}

/**
 * Throws `RangeError` for anything that is not the info of a torrent, and `UnsupportedTorrent` for a torrent that
 * cannot be imported.
 */
export function parseInfo(bytes: Uint8Array): TorrentInfo {
  const { value, end } = bdecode(bytes)
  if (end !== bytes.byteLength) throw new RangeError('something follows the info')
  if (!isDictionary(value)) throw new RangeError('its info is not a dictionary')
  const { pieces, 'piece length': each } = value
  if (pieces === undefined && value['meta version'] === 2)
    throw new UnsupportedTorrent('it is a torrent of BitTorrent v2 only: take one that has v1, too')
  const { file, name, total } = filesOf(value)
  if (!(pieces instanceof Uint8Array) || !isSize(each) || each === 0)
    throw new RangeError('it has no pieces or no piece length')
  if (each > maxPieceLength)
    throw new UnsupportedTorrent(`its pieces have ${each} bytes; at most ${maxPieceLength} can be taken in`)
  if (pieces.byteLength !== Math.ceil(total / each) * hashLength)
    throw new RangeError('its pieces do not make up its length')
  if (pieces.byteLength > maxPieces * hashLength)
    throw new UnsupportedTorrent(
      `it has ${pieces.byteLength / hashLength} pieces; at most ${maxPieces} can be taken in`
    )
  const infoHash = sha1(bytes)
  return {
    bytes,
    infoHash,
    name: cleanName(name, hexOf(infoHash)),
    ...file,
    total,
    pieceLength: each,
    pieces,
    private: value['private'] === 1
  }
}

export function pieceCount({ pieces }: TorrentInfo): number {
  return pieces.byteLength / hashLength
}

/** The last piece may be shorter. */
export function pieceSize(info: TorrentInfo, index: number): number {
  return Math.min(info.pieceLength, info.total - index * info.pieceLength)
}

/** The hash that the bytes of a piece must have. */
export function pieceHash({ pieces }: TorrentInfo, index: number): Uint8Array {
  return pieces.subarray(index * hashLength, (index + 1) * hashLength)
}
