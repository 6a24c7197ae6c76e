import type { Socket } from 'node:net'
import { untilAborted } from '@p2pl/core/backend'
import type Wire from 'bittorrent-protocol'
import type { Torrent } from 'webtorrent'
import type WebTorrent from 'webtorrent'
import { hexOf } from '../../tools/bytes.ts'
import { parseInfo, pieceSize, sha1, type TorrentInfo } from '../metainfo/info.ts'
import { chunkStore, type PieceStore } from './chunk-store.ts'
import { describe, nothing } from './description.ts'
import { fence } from './fence.ts'
import { needMembers, torrentMembers } from './members.ts'
import { Suspects } from './suspects.ts'

/** A peer that has owed an answer for this long (ms) counts as gone. */
const requestTimeout = 15_000
/** A peer that has been silent for this long (ms) counts as gone: clients send something at least every two minutes. */
const idleTimeout = 150_000

export interface SwarmInit {
  readonly client: WebTorrent
  readonly infoHash: Uint8Array
  /** Present if it is known from the start. */
  readonly info: TorrentInfo | undefined
  /** Whether everything is stored here. */
  readonly complete: boolean
  readonly store: PieceStore
  /** The peer at this address sent something that contradicts the torrent, or nothing. */
  readonly lied?: (address: string) => void
}

/** One WebTorrent torrent: its wires are fenced, and its pieces are read from and written to the given store. */
export class Swarm {
  readonly infoHash: string
  readonly #init: SwarmInit
  readonly #torrent: Torrent
  readonly #info = Promise.withResolvers<TorrentInfo>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = new AbortController()
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
  readonly #written = new Set<number>()
  readonly #suspects = new Suspects()
  readonly #sockets = new Map<string, Socket>()
  #known: TorrentInfo | undefined

  constructor(init: SwarmInit) {
    this.#init = init
    this.#known = init.info
    this.infoHash = hexOf(init.infoHash)
    this.#info.promise.catch(() => {})
    this.#ready.promise.catch(() => {})
    if (init.info !== undefined) this.#info.resolve(init.info)
    const pieces: PieceStore = {
      read: async (start, length) => await init.store.read(start, length),
      write: async (index, bytes) => {
        await init.store.write(index, bytes)
        this.#suspects.clear(index)
        this.#written.add(index)
        this.#waiting.get(index)?.resolve(bytes)
        this.#waiting.delete(index)
      }
    }
    this.#torrent = init.client.add(init.info === undefined ? this.infoHash : describe(init.info), {
      announce: [],
      urlList: [],
      deselect: true,
      skipVerify: init.complete,
      storeCacheSlots: 0,
      store: chunkStore(pieces, () => this.#known?.total ?? 0)
    })
    if (init.info !== undefined) this.#torrent._startupBitfield = nothing(init.info)
    this.#listen(this.#torrent)
    needMembers(this.#torrent, torrentMembers)
    // It would access its client even just after the client was destroyed.
    this.#torrent._debug = () => {}
  }

  /** Fires when the swarm has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get busy(): boolean {
    return this.#sockets.size > 0
  }

  /** Resolves with the info, once a peer has sent it. Rejects when it cannot be imported. */
  async info(signal: AbortSignal): Promise<TorrentInfo> {
    return await untilAborted(this.#info.promise, signal)
  }

  /** Takes over a socket to or from a peer of this swarm. */
  async attach(socket: Socket, id: string): Promise<void> {
    try {
      await untilAborted(this.#started(), this.#ended.signal)
      if (socket.destroyed) return
      socket.setTimeout(idleTimeout, () => socket.destroy())
      // It gets a connection instead of an address, because the rendezvous and the gate decide who is dialled.
      const taken = this.#torrent.addPeer(Object.assign(socket, { id, connected: true }))
      if (!taken) socket.destroy()
    } catch {
      socket.destroy()
    }
  }

  /** A piece, checked against the torrent. Rejects when the swarm ends before the piece arrives. */
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
    torrent.once('ready', () => this.#ready.resolve())
    // Others are sent this: the original bytes.
    torrent.once('metadata', () => (torrent.metadata = this.#known?.bytes ?? null))
    torrent.on('warning', (error) => this.#warned(error as Error))
    torrent.on('wire', (wire) => this.#opened(wire))
  }

  #opened(wire: Wire): void {
    const [id, socket] = this.#ownerOf(wire)
    if (socket === undefined) return wire.destroy()
    this.#sockets.set(id, socket)
    socket.once('close', () => this.#sockets.delete(id))
    try {
      fence({ wire, socket, info: () => this.#known, accepts: (bytes) => this.#accepts(bytes) })
    } catch (error) {
      socket.destroy()
      return this.#end(error as Error)
    }
    wire.setTimeout(requestTimeout, true)
    wire.on('timeout', () => this.#lied(id))
    void this.#ready.promise.then(
      () => setImmediate(() => repeat(wire)),
      () => {}
    )
    wire.on('piece', (index: number) => {
      if (!this.#written.has(index)) this.#suspects.took(index, id)
    })
  }

  #ownerOf(wire: Wire): readonly [string, Socket | undefined] {
    for (const [id, { wire: own, conn }] of this.#torrent._peers ?? []) if (own === wire) return [id, conn ?? undefined]
    return ['', undefined]
  }

  /** Bytes arrived that may be the info. */
  #accepts(metadata: Uint8Array): boolean {
    if (this.#known !== undefined) return true
    const bytes = new Uint8Array(metadata)
    if (hexOf(sha1(bytes)) !== this.infoHash) return false
    try {
      const info = parseInfo(bytes)
      this.#known = info
      this.#torrent._startupBitfield = nothing(info)
      this.#torrent._onMetadata(describe(info)).catch((error: unknown) => this.#end(error as Error))
      this.#info.resolve(info)
      return true
    } catch (error) {
      // The hash is right, so no other peer has a better one.
      this.#end(error as Error)
      return false
    }
  }

  #warned({ message }: Error): void {
    const piece = /^Piece (\d+) failed/.exec(message)?.[1]
    if (piece === undefined) return
    const present = (id: string): boolean => this.#sockets.has(id)
    this.#suspects.blame(
      Number(piece),
      present,
      (id) => this.#lied(id),
      (id) => this.#sockets.get(id)?.destroy()
    )
  }

  #lied(id: string): void {
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

/**
 * The library starts to listen a little later, and would miss an `interested` or `unchoke` that came with the
 * handshake.
 */
function repeat(wire: Wire): void {
  if (wire.destroyed) return
  if (wire.peerInterested) wire.unchoke()
  if (!wire.peerChoking) wire.emit('unchoke')
}
