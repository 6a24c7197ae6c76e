import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Gossip, OutboundStream } from './engine.ts'
import { Reader } from '../streams/reader.ts'
import { withinTicks } from '../streams/ticks.ts'
import type { Recovery } from './recovery.ts'

/** Heartbeats for which a stream may be missing before it is opened again, at first and at most. */
const patience = 2
const longestPatience = 8
/**
 * Heartbeats without a stream from a peer until another connection is made to it; doubled each time. Longer than the 40 s for which
 * Kubo takes a dead connection for a live one.
 */
const renewAfter = 40
/** For the dial of that connection (ms). */
const renewTimeout = 10_000
/** Bytes that may wait for a peer before a publisher waits, too, and how long it does (ms). */
const highWater = 1024 * 1024
const roomLimit = 1_000
/**
 * For the old stream of a peer to end in good order (ticks of 100 ms) before the messages of the new one are taken: then nothing is
 * missing between them, as when two peers have dialled each other at once.
 */
const handover = 10
/** Streams of one peer that are read at a time: the newest, and those that it has just replaced. */
const maxReaders = 3

/** What happens to the streams from peers. */
export interface StreamEvents {
  /** This many frames of the peer were too long, and were left out. */
  skipped(peer: PeerId, count: number): void
  /**
   * Messages that came by this peer may be missing: its stream has failed, or another one has taken its place before it was read
   * to its end. `heardAt` tells when something came from a peer (`performance.now()`).
   */
  broken(peer: PeerId, heardAt: (id: string) => number): void
  /** The peer has opened a stream. */
  opened(peer: PeerId): void
}

export interface StreamHandlers extends StreamEvents {
  readonly maxFrameBytes: number
  /** Makes what takes the frames of one stream, one after the other. It does not reject. */
  receiver(peer: PeerId): (frame: Uint8Array) => Promise<void>
  /** The peer has opened a stream though it had one. */
  replaced(peer: PeerId): void
}

interface Outbound {
  readonly stream: OutboundStream
  readonly connection: Connection
  /** The stream as the connection has it. */
  readonly raw: Stream | undefined
}

interface Missing {
  beats: number
  patience: number
  /** Heartbeats without a stream from the peer, and how many there are when another connection is made. */
  deaf: number
  renewAt: number
}

/**
 * Keeps one gossip stream open in each direction to every connected peer that speaks the protocol.
 *
 * The engine by itself opens one stream to a peer, states its subscriptions on it, and never does either again. It takes a
 * peer for gone when any stream from it fails, though a newer connection lives. So a connection that goes half-open, a peer
 * whose address changes or a stream that is reset leaves a link that looks healthy and carries messages one way, or none.
 * Here the newest connection counts, and all subscriptions are stated again with each new stream.
 */
export class Streams {
  readonly #libp2p: Libp2p
  readonly #gossip: Gossip
  readonly #recovery: Recovery
  readonly #handlers: StreamHandlers
  /** Newest last. */
  readonly #readers = new Map<string, Reader[]>()
  readonly #heardAt = new Map<string, number>()
  /** Peers that are still connected, and whose stream has ended in good order; and the next one where they had opened it before. */
  readonly #ended = new Map<string, Stream | undefined>()
  /** Streams that the engine has handed over. */
  readonly #taken = new WeakSet<Stream>()
  /** The streams to peers, and their connections. */
  readonly #outbound = new Map<string, Outbound>()
  readonly #opening = new Set<Connection>()
  readonly #missing = new Map<string, Missing>()

  /** Before the engine starts. */
  constructor(libp2p: Libp2p, gossip: Gossip, recovery: Recovery, handlers: StreamHandlers) {
    this.#libp2p = libp2p
    this.#gossip = gossip
    this.#recovery = recovery
    this.#handlers = handlers
    gossip.onPeerConnected = (peer, connection) => this.#connected(peer, connection)
    gossip.onIncomingStream = (stream, connection) => this.#incoming(stream, connection)
    gossip.addEventListener('gossipsub:heartbeat', () => this.#repair())
    // The engine would hear of it only after a look into the peer store, when the peer may be connected again.
    gossip.onPeerDisconnected = () => {}
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
  }

  /** When something came from the peer (`performance.now()`). */
  readonly heardAt = (id: string): number => this.#heardAt.get(id) ?? -Infinity

  /** Resolves when one of the peers can take more: at once, unless much waits for each of them. */
  async room(ids: readonly string[]): Promise<void> {
    const streams = ids.map((id) => this.#outbound.get(id)?.raw)
    const full = streams.filter((stream) => stream !== undefined && stream.writeBufferLength > highWater)
    if (full.length === 0 || full.length < ids.length) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const listeners = new AbortController()
    const timer = setTimeout(resolve, roomLimit)
    for (const stream of full)
      for (const event of ['idle', 'close'] as const)
        stream?.addEventListener(event, () => resolve(), { signal: listeners.signal })
    await promise
    clearTimeout(timer)
    listeners.abort()
  }

  #connected(peer: PeerId, connection: Connection): void {
    if (!this.#gossip.isStarted() || connection.status !== 'open') return
    this.#gossip.addPeer(peer, connection.direction, connection.remoteAddr)
    if (!this.#gossip.streamsOutbound.has(peer.toString())) void this.#open(peer, connection)
  }

  #incoming(stream: Stream, connection: Connection): void {
    if (!this.#gossip.isStarted()) return
    const peer = connection.remotePeer
    const id = peer.toString()
    this.#gossip.addPeer(peer, connection.direction, connection.remoteAddr)
    const old = this.#reader(id)
    const replaced = old?.open === true
    // The old connection may have ended in good order, and be gone only after this one is there.
    const resumed = this.#ended.has(id) && this.#ended.get(id) !== stream
    this.#ended.delete(id)
    this.#taken.add(stream)
    this.#read(peer, id, stream, replaced ? this.#succeed(peer, old) : undefined)
    this.#answer(peer, id, connection)
    if (replaced) this.#handlers.replaced(peer)
    if (resumed) this.#broken(peer)
    this.#handlers.opened(peer)
  }

  /** Resolves when the messages of the next stream may be taken. */
  async #succeed(peer: PeerId, old: Reader): Promise<void> {
    const whole = await withinTicks(handover, old.whole)
    if (whole !== true) this.#broken(peer)
  }

  /** What came from the peer, and what went to it, may be lost. */
  #broken(peer: PeerId): void {
    this.#recovery.owe(peer.toString())
    this.#handlers.broken(peer, this.heardAt)
  }

  /** Once there are streams in both directions. The one to the peer may be an old one, while another is being opened. */
  #tell(id: string): void {
    if (!this.#gossip.streamsOutbound.has(id) || this.#reader(id)?.open !== true) return
    for (const { remotePeer } of this.#opening) if (remotePeer.toString() === id) return
    this.#recovery.tell(id)
  }

  #reader(id: string): Reader | undefined {
    return this.#readers.get(id)?.at(-1)
  }

  #read(peer: PeerId, id: string, stream: Stream, before: Promise<void> | undefined): void {
    const handlers = this.#handlers
    const receive = handlers.receiver(peer)
    const reader: Reader = new Reader(stream, {
      maxFrameBytes: handlers.maxFrameBytes,
      frame: async (bytes) => {
        await before
        this.#heardAt.set(id, performance.now())
        await receive(bytes)
        this.#tell(id)
      },
      skipped: (count) => handlers.skipped(peer, count),
      end: (failed) => {
        const readers = this.#readers.get(id) ?? []
        const newest = readers.at(-1) === reader
        this.#keep(
          id,
          readers.filter((one) => one !== reader)
        )
        if (newest) this.#gossip.streamsInbound.delete(id)
        if (newest && failed) this.#broken(peer)
        else if (newest) this.#ended.set(id, this.#opened(peer))
      }
    })
    const readers = [...(this.#readers.get(id) ?? []), reader]
    // A replaced stream may still have something to read; it ends with its connection at the latest.
    for (const old of readers.slice(0, -maxReaders)) old.close()
    this.#keep(id, readers.slice(-maxReaders))
    this.#gossip.streamsInbound.set(id, {
      close: () => {
        for (const one of this.#readers.get(id) ?? []) one.close()
        return Promise.resolve()
      }
    })
  }

  /** A stream that the peer has opened, and that the engine has not handed over: it looks into the peer store before. */
  #opened(peer: PeerId): Stream | undefined {
    return this.#libp2p
      .getConnections(peer)
      .flatMap(({ streams }) => streams)
      .find(
        (stream) =>
          stream.direction === 'inbound' &&
          this.#gossip.protocols.includes(stream.protocol) &&
          stream.status === 'open' &&
          !this.#taken.has(stream)
      )
  }

  #keep(id: string, readers: Reader[]): void {
    if (readers.length > 0) this.#readers.set(id, readers)
    else this.#readers.delete(id)
  }

  /** The peer has come by this connection: it is reachable there, whatever became of others. */
  #answer(peer: PeerId, id: string, connection: Connection): void {
    const current = this.#gossip.streamsOutbound.has(id) ? this.#outbound.get(id)?.connection : undefined
    if (current === undefined || (current !== connection && isNewer(connection, current)))
      void this.#open(peer, connection)
    else {
      // It may have forgotten what it knew of us with the stream that it lost.
      const topics = this.#gossip.getTopics()
      if (topics.length > 0) this.#gossip.sendSubscriptions(id, topics, true)
      this.#graft(id)
      this.#tell(id)
    }
  }

  /** Opens a stream on this connection. The engine's queue would hold up all peers while one stands still. */
  async #open(peer: PeerId, connection: Connection): Promise<void> {
    if (this.#opening.has(connection)) return
    this.#opening.add(connection)
    const id = peer.toString()
    const { streamsOutbound } = this.#gossip
    const old = streamsOutbound.get(id)
    // The engine looks for another stream before it begins. The old one stays in use until the new one is there.
    streamsOutbound.delete(id)
    const created = this.#gossip.createOutboundStream(peer, connection)
    if (old !== undefined) streamsOutbound.set(id, old)
    await created.finally(() => this.#opening.delete(connection))
    const stream = streamsOutbound.get(id)
    const previous = this.#outbound.get(id)
    if (stream === undefined || stream === previous?.stream) return
    const raw = connection.streams.findLast(
      ({ direction, protocol, status }) => direction === 'outbound' && protocol === stream.protocol && status === 'open'
    )
    this.#outbound.set(id, { stream, connection, raw })
    // What waits in it is still sent, where its connection can.
    void previous?.stream.close()
    this.#graft(id)
    this.#tell(id)
  }

  /** The peer is told again in which meshes it is: it may have forgotten. */
  #graft(id: string): void {
    const topics = [...this.#gossip.mesh].filter(([, peers]) => peers.has(id)).map(([topic]) => topic)
    if (topics.length > 0) this.#gossip.sendGraft(id, topics)
  }

  /** Opens what has been missing for some heartbeats. A new stream from here also makes most peers open one to here. */
  #repair(): void {
    const open = new Map<string, Connection>()
    for (const connection of this.#libp2p.getConnections())
      if (connection.status === 'open' && connection.limits === undefined)
        open.set(connection.remotePeer.toString(), connection)
    for (const [id, connection] of open) {
      if (!this.#gossip.streamsOutbound.has(id) || this.#reader(id)?.open !== true) this.#await(id, connection)
      else {
        this.#missing.delete(id)
        this.#tell(id)
      }
    }
    for (const id of this.#missing.keys()) if (!open.has(id)) this.#missing.delete(id)
  }

  #await(id: string, connection: Connection): void {
    const missing = this.#missing.get(id) ?? { beats: 0, patience, deaf: 0, renewAt: renewAfter }
    this.#missing.set(id, missing)
    if (this.#reader(id)?.open !== true && ++missing.deaf >= missing.renewAt) {
      missing.renewAt *= 2
      void this.#renew(connection.remotePeer)
    }
    if (++missing.beats < missing.patience) return
    missing.beats = 0
    missing.patience = Math.min(missing.patience * 2, longestPatience)
    void this.#reopen(connection)
  }

  /**
   * Kubo opens no stream any more to a peer whose connection was replaced five times within ten minutes, until the peer connects
   * again. The connection that is there stays open: Kubo may choose it for its stream.
   */
  async #renew(peer: PeerId): Promise<void> {
    try {
      await this.#libp2p.dial(peer, { force: true, signal: AbortSignal.timeout(renewTimeout) })
    } catch {
      // The peer cannot be dialled from here. It may connect by itself.
    }
  }

  async #reopen(connection: Connection): Promise<void> {
    const peer = connection.remotePeer
    try {
      const { protocols } = await this.#libp2p.peerStore.get(peer)
      if (!protocols.some((protocol) => this.#gossip.protocols.includes(protocol))) return
      if (!this.#gossip.isStarted() || connection.status !== 'open') return
      this.#gossip.addPeer(peer, connection.direction, connection.remoteAddr)
      await this.#open(peer, connection)
    } catch {
      // The peer has gone, or the node is stopping.
    }
  }

  #forget(peer: PeerId): void {
    const id = peer.toString()
    this.#recovery.owe(id)
    this.#gossip.removePeer(peer)
    // What they have read is still worked on. They are no part of the next connection.
    this.#readers.delete(id)
    this.#outbound.delete(id)
    this.#missing.delete(id)
    this.#heardAt.delete(id)
    this.#ended.delete(id)
  }
}

/** Both sides may see two connections open in a different order: each moves to its own newest, and there it stays. */
function isNewer(connection: Connection, than: Connection): boolean {
  return than.status !== 'open' || connection.timeline.open >= than.timeline.open
}
