import { type Block, bytesKey } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { matches } from '../tools/hashes.ts'
import type { LeafReader } from './layout/leaf-reader.ts'
import type { FileLeaves } from './layout/leaves.ts'
import { pieceCount, pieceLength, type TorrentInfo } from './metainfo/info.ts'
import type { PieceStore } from './swarm/chunk-store.ts'
import type { Swarm } from './swarm/swarm.ts'

/** A swarm that nobody asked for a leaf for this long (ms) is left. */
const idleTimeout = 60_000

export interface LeafSessionInit {
  readonly file: FileLeaves
  readonly reader: LeafReader
  readonly put: (block: Block) => Promise<void>
  readonly join: (store: PieceStore) => Promise<Swarm>
  /** Reports that the torrent does not belong to the file. */
  readonly refuse: () => void
  readonly ended: () => void
}

/** Gets leaves of a file whose inner nodes are stored here from a torrent in which each piece is one leaf. */
export class LeafSession {
  readonly #init: LeafSessionInit
  readonly #indexes: ReadonlyMap<string, number>
  readonly #timer: NodeJS.Timeout
  #swarm: Swarm | undefined

  constructor(init: LeafSessionInit) {
    this.#init = init
    this.#indexes = new Map(init.file.leaves.map((leaf, index) => [bytesKey(leaf.multihash.bytes), index]))
    this.#timer = setTimeout(() => this.end(), idleTimeout).unref()
  }

  async join(): Promise<void> {
    const { reader, file, join } = this.#init
    const swarm = await join({
      read: (start, length) => reader.read(file.leaves, start, length),
      write: (index, bytes) => this.#write(index, bytes)
    })
    this.#swarm = swarm
    swarm.ended.addEventListener('abort', () => this.end())
  }

  /** Returns `undefined` when the file has no such leaf. Rejects when the swarm is of no use. */
  async leaf(cid: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const index = this.#indexes.get(bytesKey(cid.multihash.bytes))
    const swarm = this.#swarm
    if (index === undefined || swarm === undefined) return undefined
    this.#timer.refresh()
    const info = await swarm.info(signal)
    if (!this.#fits(info)) {
      this.#init.refuse()
      swarm.stop()
      throw new Error('the torrent is not that of the file')
    }
    const bytes = await swarm.piece(index, signal)
    this.#timer.refresh()
    return bytes
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#swarm?.stop()
    this.#init.ended()
  }

  #fits(info: TorrentInfo): boolean {
    const { leaves, length } = this.#init.file
    return info.total === length && info.pieceLength === pieceLength && pieceCount(info) === leaves.length
  }

  /** The swarm guarantees only its sha1. A torrent whose bytes do not match the CID is given up. */
  async #write(index: number, bytes: Uint8Array): Promise<void> {
    const cid = this.#init.file.leaves[index]
    if (cid === undefined || !matches(cid.multihash.bytes, bytes)) {
      this.#init.refuse()
      throw new Error('the torrent is not that of the file')
    }
    await this.#init.put({ cid, bytes })
  }
}
