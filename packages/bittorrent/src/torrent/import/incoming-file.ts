import { type Block, compactBytes } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { Pace } from '../../tools/pace.ts'
import { FileWriter } from '../layout/file-writer.ts'
import type { LeafReader } from '../layout/leaf-reader.ts'
import { pieceLength, type TorrentInfo } from '../metainfo/info.ts'
import type { PieceStore } from '../swarm/chunk-store.ts'

export interface IncomingFileInit {
  readonly info: TorrentInfo
  readonly reader: LeafReader
  readonly put: (block: Block) => Promise<void>
  /** Called when a leaf is stored. `bytes`: how many bytes of the file are stored now. */
  readonly stored: (index: number, leaf: CID, bytes: number) => Promise<void>
}

/** A file that arrives in pieces of any length and is stored as leaves of 1 MiB. */
export class IncomingFile implements PieceStore {
  readonly leaves: CID[] = []
  readonly #init: IncomingFileInit
  readonly #writer: FileWriter
  /** Pieces from the swarm that are not completely in stored leaves yet. */
  readonly #held = new Map<number, Uint8Array>()

  constructor(init: IncomingFileInit) {
    this.#init = init
    this.#writer = new FileWriter(init.put)
  }

  /** Serves other peers of the swarm during the import. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const { info, reader } = this.#init
    const index = Math.floor(start / info.pieceLength)
    const piece = this.#held.get(index)
    const within = start - index * info.pieceLength
    if (piece !== undefined) return piece.subarray(within, within + length)
    const position = start - info.offset
    if (position < 0 || position + length > info.length) throw new RangeError('padding is not kept')
    return await reader.read(this.leaves, position, length)
  }

  write(index: number, bytes: Uint8Array): Promise<void> {
    this.#held.set(index, bytes)
    return Promise.resolve()
  }

  /** Takes the pieces in order and returns the root. */
  async take(pieces: AsyncIterable<readonly [index: number, bytes: Uint8Array]>): Promise<CID> {
    const { info } = this.#init
    const end = info.offset + info.length
    let leaf: Uint8Array = new Uint8Array(Math.min(pieceLength, info.length))
    let filled = 0
    let stored = 0
    const pace = new Pace()
    for await (const [index, piece] of pieces) {
      await pace.keep()
      const start = index * info.pieceLength
      const own = piece.subarray(Math.max(0, info.offset - start), Math.max(0, end - start))
      for (let at = 0; at < own.byteLength;) {
        const part = own.subarray(at, at + leaf.byteLength - filled)
        // A piece that equals a leaf is not copied.
        if (part.byteLength === leaf.byteLength) leaf = compactBytes(part)
        else leaf.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        if (filled < leaf.byteLength) continue
        stored += filled
        await this.#store(leaf, stored)
        leaf = new Uint8Array(Math.min(pieceLength, info.length - stored))
        filled = 0
      }
      for (const held of this.#held.keys()) {
        if ((held + 1) * info.pieceLength <= info.offset + stored) this.#held.delete(held)
      }
    }
    return await this.#writer.finish()
  }

  async #store(leaf: Uint8Array, stored: number): Promise<void> {
    const cid = await this.#writer.add(leaf)
    this.leaves.push(cid)
    await this.#init.stored(this.leaves.length - 1, cid, stored)
  }
}
