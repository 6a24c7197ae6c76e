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

/** Pieces that a peer had a part in and that were wrong, before it is sent away; one is enough when it had no help. */
const patience = 3

export interface SwarmInit {
  readonly client: WebTorrent
  readonly infoHash: Uint8Array
  /** When it is known from the start. */
  readonly info: TorrentInfo | undefined
  /** Everything is stored here. */
  readonly complete: boolean
  readonly store: PieceStore
  /** Somebody sent what was not what the torrent says. */
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
  /** Who had a part in the pieces under way. */
  readonly #parts = new Map<number, Set<Wire>>()
  readonly #written = new Set<number>()
  readonly #wrong = new Map<Wire, number>()
  readonly #sockets = new Map<Wire, Socket>()
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
    const socket = this.#socketOf(wire)
    if (socket === undefined) return wire.destroy()
    this.#sockets.set(wire, socket)
    socket.once('close', () => {
      this.#sockets.delete(wire)
      this.#wrong.delete(wire)
      for (const wires of this.#parts.values()) wires.delete(wire)
    })
    fence({ wire, socket, info: () => this.#known, accepts: (bytes) => this.#accepts(bytes) })
    wire.on('piece', (index: number) => {
      if (this.#written.has(index)) return
      const wires = this.#parts.get(index) ?? new Set()
      wires.add(wire)
      this.#parts.set(index, wires)
    })
  }

  #socketOf(wire: Wire): Socket | undefined {
    for (const { wire: own, conn } of this.#torrent._peers?.values() ?? []) if (own === wire) return conn ?? undefined
    return undefined
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

  #failedPiece(match: RegExpExecArray | null): void {
    const index = Number(match?.[1] ?? Number.NaN)
    const wires = this.#parts.get(index)
    if (wires === undefined) return
    this.#parts.delete(index)
    for (const wire of wires) {
      const wrong = (this.#wrong.get(wire) ?? 0) + 1
      this.#wrong.set(wire, wrong)
      if (wires.size > 1 && wrong < patience) continue
      const socket = this.#sockets.get(wire)
      this.#init.lied?.((socket as { id?: string } | undefined)?.id ?? '')
      socket?.destroy()
    }
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
