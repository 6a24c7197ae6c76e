import { createHash } from 'node:crypto'
import { concatBytes, equalBytes } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { Pace } from '../../tools/pace.ts'
import type { Load } from '../layout/leaves.ts'
import { pieceHash, pieceLength, pieceSize, type TorrentInfo } from '../metainfo/info.ts'

/** Pieces of a torrent that can be assembled from leaves that are stored here. */
export class LocalPieces {
  readonly #info: TorrentInfo
  readonly #leaves: readonly (CID | undefined)[]
  readonly #load: Load
  readonly #pace = new Pace()

  /** `leaves`: the known leaves of the file. Each may turn out to be of another file, or to be gone. */
  constructor(info: TorrentInfo, leaves: readonly (CID | undefined)[], load: Load) {
    this.#info = info
    this.#leaves = leaves
    this.#load = load
  }

  /** The piece, checked against the torrent; `undefined` when it has to be fetched. */
  async piece(index: number): Promise<Uint8Array | undefined> {
    const size = pieceSize(this.#info, index)
    const start = index * this.#info.pieceLength - this.#info.offset
    const hash = createHash('sha1')
    const parts: Uint8Array[] = []
    for (let at = 0; at < size;) {
      await this.#pace.keep()
      const part = await this.#part(start + at, size - at)
      if (part === undefined) return undefined
      hash.update(part)
      parts.push(part)
      at += part.byteLength
    }
    if (!equalBytes(hash.digest(), pieceHash(this.#info, index))) return undefined
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : concatBytes(...parts)
  }

  /** The bytes from a position in the file to the end of its leaf, at most `most`. Padding around the file is zeros. */
  async #part(position: number, most: number): Promise<Uint8Array | undefined> {
    const { length } = this.#info
    if (position < 0) return new Uint8Array(Math.min(most, -position, pieceLength))
    if (position >= length) return new Uint8Array(Math.min(most, pieceLength))
    const index = Math.floor(position / pieceLength)
    const cid = this.#leaves[index]
    const leaf = cid === undefined ? undefined : await this.#load(cid)
    if (leaf?.byteLength !== Math.min(pieceLength, length - index * pieceLength)) return undefined
    const from = position - index * pieceLength
    return leaf.subarray(from, from + most)
  }
}
