import { formatAddress, type Address } from '../address.ts'
import { equalBytes } from '../bytes.ts'
import { sleep, untilAborted } from '@p2pl/embedded'
import { openWire, type GuardedWire } from '../engine/wire.ts'
import type { Links } from '../engine/links.ts'
import type { Rendezvous } from '../engine/rendezvous.ts'
import { parseInfo, pieceCount, pieceHash, pieceSize, sha1, type TorrentInfo } from './info.ts'
import { Metadata } from './metadata.ts'

const requestLength = 16_384
/** Requests under way on one wire. */
const pipeline = 64
const piecesPerWire = 2
const requestLimit = 15_000
const handshakeLimit = 5_000
const maxWires = 20
const firstSearchPause = 1_000
const longestSearchPause = 30_000
const retryAddress = 5_000

export interface DownloadInit {
  readonly infoHash: Uint8Array
  readonly info: TorrentInfo | undefined
  readonly peers: readonly Address[]
  readonly links: Links
  readonly rendezvous: Rendezvous
  readonly peerId: Uint8Array
}

/** A piece that somebody waits for. */
interface Job {
  readonly index: number
  readonly done: PromiseWithResolvers<Uint8Array>
  taken: boolean
}

/** Gets pieces of a torrent from everybody who has it: stock clients and participants alike. Uploads nothing. */
export class Download {
  readonly #init: DownloadInit
  readonly #wires = new Map<GuardedWire, { busy: number }>()
  readonly #tried = new Map<string, number>()
  readonly #jobs = new Map<number, Job>()
  readonly #stopped = new AbortController()
  readonly #metadata = Promise.withResolvers<TorrentInfo>()
  #info: TorrentInfo | undefined

  constructor(init: DownloadInit) {
    this.#init = init
    this.#info = init.info
    this.#metadata.promise.catch(() => {})
    if (init.info !== undefined) this.#metadata.resolve(init.info)
    void this.#search().catch(() => {})
  }

  stop(): void {
    this.#stopped.abort()
    for (const { fail } of this.#wires.keys()) fail()
    for (const { done } of this.#jobs.values()) done.reject(new Error('the download was stopped'))
    this.#jobs.clear()
  }

  addPeers(peers: readonly Address[]): void {
    for (const peer of peers) void this.#dial(peer)
  }

  /** The metadata, once somebody has given it. */
  async info(signal: AbortSignal): Promise<TorrentInfo> {
    return await untilAborted(this.#metadata.promise, signal)
  }

  /** A piece, checked against its sha1. */
  async piece(index: number, signal: AbortSignal): Promise<Uint8Array> {
    const info = await this.info(signal)
    if (index < 0 || index >= pieceCount(info)) throw new RangeError('there is no such piece')
    let job = this.#jobs.get(index)
    if (job === undefined) {
      job = { index, done: Promise.withResolvers<Uint8Array>(), taken: false }
      job.done.promise.catch(() => {})
      this.#jobs.set(index, job)
      this.#kick()
    }
    return await untilAborted(job.done.promise, signal)
  }

  async #search(): Promise<void> {
    const { signal } = this.#stopped
    for (let pause = firstSearchPause; ; pause = Math.min(pause * 2, longestSearchPause)) {
      this.addPeers(this.#init.peers)
      if (this.#init.rendezvous.exists)
        await this.#init.rendezvous
          .lookup(this.#init.infoHash, (address) => void this.#dial(address), signal)
          .catch(() => {})
      await sleep(pause, signal)
    }
  }

  async #dial(address: Address): Promise<void> {
    const text = formatAddress(address)
    const { links } = this.#init
    if (this.#stopped.signal.aborted || this.#wires.size >= maxWires || links.isOwn(address)) return
    if ((this.#tried.get(text) ?? 0) > performance.now()) return
    this.#tried.set(text, Infinity)
    const again = (): void => void this.#tried.set(text, performance.now() + retryAddress)
    try {
      const socket = await links.connect(address)
      const guarded = openWire(socket, 'tcpOutgoing', () => {
        again()
        this.#wires.delete(guarded)
        this.#kick()
      })
      if (this.#stopped.signal.aborted) return guarded.fail()
      this.#begin(guarded)
    } catch {
      again()
    }
  }

  #begin(guarded: GuardedWire): void {
    const { wire, fail } = guarded
    const { infoHash, peerId, links } = this.#init
    const timer = setTimeout(fail, handshakeLimit)
    const known = new Metadata(wire, infoHash, this.#info?.bytes, links.port, (bytes) => {
      if (this.#info === undefined) {
        const info = parseInfo(bytes)
        this.#info = info
        this.#metadata.resolve(info)
      }
      this.#kick()
    })
    void known
    wire.on('handshake', (other: string) => {
      clearTimeout(timer)
      if (!equalBytes(Buffer.from(other, 'hex'), infoHash)) return fail()
      wire.interested()
      this.#wires.set(guarded, { busy: 0 })
    })
    guarded.socket.once('close', () => clearTimeout(timer))
    for (const event of ['unchoke', 'have', 'bitfield']) wire.on(event, () => this.#kick())
    wire.setTimeout(requestLimit, true)
    wire.handshake(infoHash, peerId)
  }

  /** Gives every waiting piece to a wire that has it and is not busy. */
  #kick(): void {
    const info = this.#info
    if (info === undefined) return
    for (const job of this.#jobs.values()) {
      if (job.taken) continue
      let best: GuardedWire | undefined
      let least = piecesPerWire
      for (const [guarded, { busy }] of this.#wires) {
        const { wire } = guarded
        if (wire.peerChoking || busy >= least || !wire.peerPieces.get(job.index)) continue
        best = guarded
        least = busy
      }
      if (best !== undefined) void this.#fetch(info, job, best)
    }
  }

  async #fetch(info: TorrentInfo, job: Job, guarded: GuardedWire): Promise<void> {
    const state = this.#wires.get(guarded)
    if (state === undefined) return
    state.busy++
    job.taken = true
    try {
      const bytes = await requestPiece(guarded, job.index, pieceSize(info, job.index))
      // Whoever lies once is not asked again.
      if (!equalBytes(sha1(bytes), pieceHash(info, job.index))) return guarded.fail()
      this.#jobs.delete(job.index)
      job.done.resolve(bytes)
    } catch {
      // Choked, timed out or closed: the piece goes to another.
    } finally {
      state.busy--
      job.taken = false
      // Not in the same turn: a wire that fails at once would be asked at once.
      if (!this.#stopped.signal.aborted) setImmediate(() => this.#kick())
    }
  }
}

async function requestPiece({ wire }: GuardedWire, index: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < size) {
      const offset = next
      const length = Math.min(requestLength, size - offset)
      next += length
      const part = await new Promise<Uint8Array>((resolve, reject) => {
        wire.request(index, offset, length, (error, data) => {
          if (error !== null || data === undefined) reject(error ?? new Error('nothing came'))
          else resolve(data)
        })
      })
      bytes.set(part, offset)
    }
  }
  await Promise.all(Array.from({ length: Math.min(pipeline, Math.ceil(size / requestLength)) }, worker))
  return bytes
}
