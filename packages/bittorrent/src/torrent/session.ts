import type { Block } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Address } from '../address.ts'
import { textOf } from '../bytes.ts'
import { matches } from '../hashes.ts'
import { pieceCount, pieceLength, type TorrentInfo } from './info.ts'
import type { LeafReader } from './leaves.ts'
import type { Member, Torrents } from './torrents.ts'

/** A swarm that nobody asked for a leaf for so long ends. */
const idleLimit = 60_000

export interface SessionEvents {
  /** The torrent is not that of the file. */
  readonly refuse: () => void
  readonly ended: () => void
}

/** Leaves of a file whose inner nodes are stored here, out of a torrent of which each piece is one leaf. */
export class LeafSession {
  readonly #leaves: readonly CID[]
  readonly #length: number
  readonly #indexes: ReadonlyMap<string, number>
  readonly #reader: LeafReader
  readonly #put: (block: Block) => Promise<void>
  readonly #events: SessionEvents
  readonly #timer: NodeJS.Timeout
  #member: Member | undefined

  constructor(
    { leaves, length }: { leaves: readonly CID[]; length: number },
    reader: LeafReader,
    put: (block: Block) => Promise<void>,
    events: SessionEvents
  ) {
    this.#leaves = leaves
    this.#length = length
    this.#indexes = new Map(leaves.map((leaf, index) => [textOf(leaf.multihash.bytes), index]))
    this.#reader = reader
    this.#put = put
    this.#events = events
    this.#timer = setTimeout(() => this.end(), idleLimit).unref()
  }

  async join(torrents: Torrents, infoHash: Uint8Array, peers: readonly Address[]): Promise<void> {
    const store = {
      read: (start: number, length: number): Promise<Uint8Array> => this.#reader.read(this.#leaves, start, length),
      write: (index: number, bytes: Uint8Array): Promise<void> => this.#write(index, bytes)
    }
    this.#member = await torrents.join({ infoHash, info: undefined, peers, store })
    this.#member.swarm.ended.addEventListener('abort', () => this.end())
  }

  /** `undefined` when the file has no such leaf. Rejects when the swarm is of no use. */
  async leaf(cid: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const index = this.#indexes.get(textOf(cid.multihash.bytes))
    if (index === undefined || this.#member === undefined) return undefined
    this.#timer.refresh()
    const { swarm } = this.#member
    const info = await swarm.info(signal)
    if (!this.#fits(info)) {
      this.#events.refuse()
      swarm.stop()
      throw new Error('the torrent is not that of the file')
    }
    const bytes = await swarm.piece(index, signal)
    this.#timer.refresh()
    return bytes
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#member?.leave()
    this.#events.ended()
  }

  #fits(info: TorrentInfo): boolean {
    return info.length === this.#length && info.pieceLength === pieceLength && pieceCount(info) === this.#leaves.length
  }

  /** The swarm vouches for its sha1 only: a torrent whose bytes are others than the CID's is given up. */
  async #write(index: number, bytes: Uint8Array): Promise<void> {
    const cid = this.#leaves[index]
    if (cid === undefined || !matches(cid.multihash.bytes, bytes)) {
      this.#events.refuse()
      throw new Error('the torrent is not that of the file')
    }
    await this.#put({ cid, bytes })
  }
}
