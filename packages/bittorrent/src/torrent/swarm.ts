import type { Socket } from 'node:net'
import type { Torrent } from 'webtorrent'
import type WebTorrent from 'webtorrent'
import type Wire from 'bittorrent-protocol'
import { concatBytes, fromText, hexOf } from '../bytes.ts'
import { untilAborted } from '@p2pl/embedded'
import { idleLimit } from '../engine/wire.ts'
import { fence } from './guard.ts'
import { parseInfo, pieceSize, sha1, type TorrentInfo } from './info.ts'
import { chunkStore, type PieceStore } from './store.ts'

/** A peer that owes an answer for so long is gone. */
const requestLimit = 15_000

export interface SwarmInit {
  readonly client: WebTorrent
  readonly infoHash: Uint8Array
  /** When it is known from the start. */
  readonly info: TorrentInfo | undefined
  /** Everything is stored here. */
  readonly complete: boolean
  readonly store: PieceStore
  /** Somebody sent what is not what the torrent says, or nothing. */
  readonly lied?: (address: string) => void
}

/** One torrent of WebTorrent: its wires are fenced, its pieces go to and come from the given store. */
export class Swarm {
  readonly infoHash: string
  readonly #init: SwarmInit
  readonly #torrent: Torrent
  readonly #info = Promise.withResolvers<TorrentInfo>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = new AbortController()
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
  /** Who had a part in the pieces under way, also when it is gone: what it sent is still in them. */
  readonly #parts = new Map<number, Set<string>>()
  readonly #written = new Set<number>()
  readonly #sockets = new Map<string, Socket>()
  #known: TorrentInfo | undefined

  constructor(init: SwarmInit) {
    this.#init = init
    this.#known = init.info
    this.infoHash = hexOf(init.infoHash)
    this.#info.promise.catch(() => {})
    this.#ready.promise.catch(() => {})
    if (init.info !== undefined) this.#info.resolve(init.info)
    const { store } = init
    const pieces: PieceStore = {
      // The library reads every piece once to see what is there; what is there is known.
      read: async (start, length) => {
        if (!this.#torrent.ready) throw new Error('nothing is here yet')
        return await store.read(start, length)
      },
      write: async (index, bytes) => {
        await store.write(index, bytes)
        this.#parts.delete(index)
        this.#written.add(index)
        this.#waiting.get(index)?.resolve(bytes)
        this.#waiting.delete(index)
      }
    }
    const source = init.info === undefined ? this.infoHash : torrentFile(init.info)
    this.#torrent = init.client.add(source, {
      announce: [],
      urlList: [],
      deselect: true,
      skipVerify: init.complete,
      storeCacheSlots: 0,
      store: chunkStore(pieces, () => this.#known?.length ?? 0)
    })
    this.#listen(this.#torrent)
  }

  /** Fires when nothing comes of it any more. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get busy(): boolean {
    return this.#sockets.size > 0
  }

  /** The info, once somebody has given it. Rejects when it is none that can be taken in. */
  async info(signal: AbortSignal): Promise<TorrentInfo> {
    return await untilAborted(this.#info.promise, signal)
  }

  /** A socket to or from somebody of this swarm. It counts to this swarm from here on. */
  async attach(socket: Socket, id: string): Promise<void> {
    try {
      await untilAborted(this.#started(), this.#ended.signal)
      if (socket.destroyed) return
      socket.setTimeout(idleLimit, () => socket.destroy())
      // It is given a connection, not an address: who is dialled is decided elsewhere.
      const taken = this.#torrent.addPeer(Object.assign(socket, { id, connected: true }))
      if (!taken) socket.destroy()
    } catch {
      socket.destroy()
    }
  }

  /** A piece, checked against the torrent. Rejects when the swarm ends before it came. */
  async piece(index: number, signal: AbortSignal): Promise<Uint8Array> {
    await untilAborted(this.#ready.promise, signal)
    const info = await this.info(signal)
    if (this.#torrent.destroyed) throw new Error('the torrent was given up')
    if (this.#written.has(index) || this.#torrent.bitfield.get(index))
      return await this.#init.store.read(index * info.pieceLength, pieceSize(info, index))
    let waiting = this.#waiting.get(index)
    if (waiting === undefined) {
      waiting = Promise.withResolvers<Uint8Array>()
      waiting.promise.catch(() => {})
      this.#waiting.set(index, waiting)
      this.#torrent.select(index, index, 1)
    }
    return await untilAborted(waiting.promise, signal)
  }

  stop(): void {
    this.#end(new Error('the torrent was given up'))
  }

  #started(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#torrent.infoHash !== undefined) resolve()
    else this.#torrent.once('infoHash', () => resolve())
    return promise
  }

  #listen(torrent: Torrent): void {
    torrent.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))))
    torrent.once('close', () => this.#end(new Error('the torrent was given up')))
    torrent.once('infoHash', () => {
      if (torrent.infoHash !== this.infoHash) this.#end(new RangeError('the torrent has another infohash'))
    })
    torrent.once('ready', () => this.#ready.resolve())
    torrent.on('warning', (error) => this.#failedPiece(/^Piece (\d+) failed/.exec((error as Error).message)))
    torrent.on('wire', (wire) => this.#opened(wire))
  }

  #opened(wire: Wire): void {
    const [id, socket] = this.#ownerOf(wire)
    if (socket === undefined) return wire.destroy()
    this.#sockets.set(id, socket)
    socket.once('close', () => this.#sockets.delete(id))
    fence({ wire, socket, info: () => this.#known, accepts: (bytes) => this.#accepts(bytes) })
    wire.setTimeout(requestLimit, true)
    wire.on('timeout', () => this.#sendAway(id))
    // The library hears of it only from a little later on: what came with the handshake is lost on it.
    void this.#ready.promise.then(
      () => setImmediate(() => wire.peerInterested && !wire.destroyed && wire.unchoke()),
      () => {}
    )
    wire.on('piece', (index: number) => {
      if (this.#written.has(index)) return
      const ids = this.#parts.get(index) ?? new Set()
      ids.add(id)
      this.#parts.set(index, ids)
    })
  }

  #ownerOf(wire: Wire): readonly [string, Socket | undefined] {
    for (const [id, { wire: own, conn }] of this.#torrent._peers ?? []) if (own === wire) return [id, conn ?? undefined]
    return ['', undefined]
  }

  #accepts(bytes: Uint8Array): boolean {
    if (this.#known !== undefined) return true
    let info: TorrentInfo
    try {
      info = parseInfo(new Uint8Array(bytes))
    } catch (error) {
      return this.#refused(bytes, error)
    }
    if (hexOf(info.infoHash) !== this.infoHash) return false
    this.#known = info
    this.#info.resolve(info)
    return true
  }

  /** The hash was right: nobody else has a better one. */
  #refused(bytes: Uint8Array, error: unknown): boolean {
    if (hexOf(sha1(new Uint8Array(bytes))) === this.infoHash)
      this.#end(error instanceof Error ? error : new RangeError(String(error)))
    return false
  }

  /**
   * Who alone sent a wrong piece has lied, and is not asked again. Where several had a part in it, one of them goes on alone
   * for a while: so it is found out, or all is well without the others.
   */
  #failedPiece(match: RegExpExecArray | null): void {
    const index = Number(match?.[1] ?? Number.NaN)
    const ids = [...(this.#parts.get(index) ?? [])]
    this.#parts.delete(index)
    const [only] = ids
    if (ids.length === 1 && only !== undefined) return this.#sendAway(only)
    const present = ids.filter((id) => this.#sockets.has(id))
    present.splice(Math.floor(Math.random() * present.length), 1)
    for (const id of present) this.#sockets.get(id)?.destroy()
  }

  #sendAway(id: string): void {
    this.#init.lied?.(id)
    this.#sockets.get(id)?.destroy()
  }

  #end(error: Error): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort(error)
    this.#info.reject(error)
    this.#ready.reject(error)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    if (!this.#torrent.destroyed) this.#torrent.destroy()
    for (const socket of this.#sockets.values()) socket.destroy()
  }
}

/** Nothing but the info: no trackers, no web seeds. */
function torrentFile(info: TorrentInfo): Uint8Array {
  return concatBytes(fromText('d4:info'), info.bytes, fromText('e'))
}
