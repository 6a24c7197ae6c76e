import { errorMessage } from '@p2pl/core/backend'
import { failure } from '../../tools/failure.ts'
import type { Address } from '../../tools/address.ts'
import { infoOfFile } from '../metainfo/file.ts'
import type { TorrentInfo } from '../metainfo/info.ts'
import { parseMagnet } from '../metainfo/magnet.ts'
import { UnsupportedTorrent } from '../metainfo/unsupported.ts'

export interface Source {
  readonly infoHash: Uint8Array
  /** Present for a `.torrent` file. For a magnet link the swarm has it. */
  readonly info: TorrentInfo | undefined
  readonly peers: readonly Address[]
  /** The name in a magnet link. */
  readonly name: string | undefined
}

/** Parses a magnet link or the bytes of a `.torrent` file. Throws `INVALID_ARGUMENT` or `UNSUPPORTED`. */
export function parseSource(source: string | Uint8Array): Source {
  try {
    if (typeof source === 'string') return { ...parseMagnet(source), info: undefined }
    if (!(source instanceof Uint8Array)) throw new RangeError('give a text or a Uint8Array')
    const info = infoOfFile(source)
    return { infoHash: info.infoHash, info, peers: [], name: undefined }
  } catch (cause) {
    throw sourceError(cause, typeof source === 'string' ? 'the magnet link' : 'the .torrent file')
  }
}

/** `what`: the subject of the error message. */
export function sourceError(
  cause: unknown,
  what: string,
  malformed: 'INVALID_ARGUMENT' | 'UNSUPPORTED' = 'INVALID_ARGUMENT'
): Error {
  return failure({
    code: cause instanceof UnsupportedTorrent ? 'UNSUPPORTED' : malformed,
    operation: 'importTorrent',
    cause,
    message: `${what} cannot be taken in: ${errorMessage(cause)}`
  })
}
