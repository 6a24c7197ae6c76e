import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Gossip, OutboundStream } from './engine.ts'
import { Reader } from '../streams/reader.ts'
import { withinTicks } from '../streams/ticks.ts'
import type { Recovery } from './recovery.ts'
import { liveStream, waitingStream } from './late-streams.ts'

/** A missing stream is opened again after this many heartbeats, at first and at most. */
const patience = 2
const longestPatience = 8
/**
 * After this many heartbeats without a stream from a peer, a new connection is made to it; doubled each time. It is
 * longer than the 40 s for which Kubo considers a dead connection alive.
 */
const renewAfter = 40
/** Timeout of that dial (ms). */
const renewTimeout = 10_000
/** A publisher waits when this many bytes wait for a peer, and for at most this long (ms). */
const highWater = 1024 * 1024
const roomLimit = 1_000
/**
 * How long (in ticks of 100 ms) the old stream of a peer may take to end cleanly before messages of the new one are
 * taken. Then nothing is missing between the streams, for example when two peers have dialled each other at once.
 */
const handover = 10
/** How many streams of one peer are read at a time: the newest, and those that it has just replaced. */
const maxReaders = 3

/** Events of the streams from peers. */
export interface StreamEvents {
  /** This many frames of the peer were too long and were skipped. */
  skipped(peer: PeerId, count: number): void
  /**
   * Messages through this peer may be missing: its stream failed, or another stream replaced it before it was read to
   * its end. `heardAt` tells when something last came from a peer (`performance.now()`).
   */
  broken(peer: PeerId, heardAt: (id: string) => number): void
  /** The peer opened a stream. */
  opened(peer: PeerId): void
}

export interface StreamHandlers extends StreamEvents {
  readonly maxFrameBytes: number
  /** Makes the function that takes the frames of one stream, in order. That function does not reject. */
  receiver(peer: PeerId): (frame: Uint8Array) => Promise<void>
  /** The peer opened a stream although it had one. */
  replaced(peer: PeerId): void
}

interface Outbound {
  readonly stream: OutboundStream
  readonly connection: Connection
  /** The stream in the form that the connection has. */
  readonly raw: Stream
}

interface Missing {
  beats: number
  patience: number
  /** Heartbeats without a stream from the peer, and the number of them after which a new connection is made. */
  deaf: number
  renewAt: number
}

/**
 * Keeps one gossip stream open in each direction to every connected peer that speaks the protocol.
 *
 * The engine itself opens one stream to a peer, states its subscriptions on it, and never does either again. It
 * considers a peer gone when any stream from it fails, even if a newer connection is alive. So after a half-open
 * connection, a changed address of the peer or a reset stream, the link looks healthy but carries messages one way
 * only, or none. Here the newest connection counts, and all subscriptions are stated again on each new stream.
 */
export class Streams {
  readonly #libp2p: Libp2p
  readonly #gossip: Gossip
  readonly #recovery: Recovery
  readonly #handlers: StreamHandlers
  /** The newest is last. */
  readonly #readers = new Map<string, Reader[]>()
  readonly #heardAt = new Map<string, number>()
  /**
   * Peers that are still connected but whose stream ended cleanly. The value is the next stream, if they had already
   * opened it.
   */
  readonly #ended = new Map<string, Stream | undefined>()
  /** Streams that the engine has handed over. */
  readonly #taken = new WeakSet<Stream>()
  /** The streams to peers, and their connections. */
  readonly #outbound = new Map<string, Outbound>()
  readonly #opening = new Set<Connection>()
  readonly #missing = new Map<string, Missing>()

  /** Call it before the engine starts. */
  constructor(libp2p: Libp2p, gossip: Gossip, recovery: Recovery, handlers: StreamHandlers) {
    this.#libp2p = libp2p
    this.#gossip = gossip
    this.#recovery = recovery
    this.#handlers = handlers
    gossip.onPeerConnected = (peer, connection) => this.#connected(peer, connection)
    gossip.onIncomingStream = (stream, connection) => this.#incoming(stream, connection)
    gossip.addEventListener('gossipsub:heartbeat', () => this.#repair())
    // The engine would learn of it only after reading the peer store, when the peer may already be connected again.
    gossip.onPeerDisconnected = () => {}
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
  }

  /** When something last came from the peer (`performance.now()`). */
  readonly heardAt = (id: string): number => this.#heardAt.get(id) ?? -Infinity

  /** Resolves when at least one of the peers can take more: at once, unless many bytes wait for each of them. */
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
    const old = this.#reader(id)
    const replaced = old?.open === true
    if (replaced && stream.status !== 'open') {
      // It ended before it was handed over. Its messages are read, but the stream of the next connection stays.
      if (!stream.readableEnded) this.#read(peer, id, stream, undefined)
      return
    }
    this.#gossip.addPeer(peer, connection.direction, connection.remoteAddr)
    // The old connection may have ended cleanly, and be removed only after the new one exists.
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

  /** Messages from the peer, and messages to it, may be lost. */
  #broken(peer: PeerId): void {
    this.#recovery.owe(peer.toString())
    this.#handlers.broken(peer, this.heardAt)
  }

  /**
   * Waits until there are streams in both directions. The stream to the peer may be an old one while another is being
   * opened.
   */
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
        const rest = readers.filter((one) => one !== reader)
        this.#keep(id, rest)
        if (newest) this.#gossip.streamsInbound.delete(id)
        if (newest && failed) this.#broken(peer)
        else if (newest) this.#ended.set(id, waitingStream(this.#libp2p, this.#gossip.protocols, peer, this.#taken))
      }
    })
    const others = this.#readers.get(id) ?? []
    if (stream.status !== 'open' && others.length > 0) return this.#keep(id, [reader, ...others])
    const readers = [...others, reader]
    // A replaced stream may still have data to read. It ends with its connection at the latest.
    for (const old of readers.slice(0, -maxReaders)) old.close()
    this.#keep(id, readers.slice(-maxReaders))
    this.#gossip.streamsInbound.set(id, {
      close: () => {
        for (const one of this.#readers.get(id) ?? []) one.close()
        return Promise.resolve()
      }
    })
  }

  #keep(id: string, readers: Reader[]): void {
    if (readers.length > 0) this.#readers.set(id, readers)
    else this.#readers.delete(id)
  }

  /** The peer came through this connection, so it is reachable there, even if other connections failed. */
  #answer(peer: PeerId, id: string, connection: Connection): void {
    const current = this.#gossip.streamsOutbound.has(id) ? this.#outbound.get(id)?.connection : undefined
    if (current === undefined || (current !== connection && isNewer(connection, current)))
      void this.#open(peer, connection)
    else {
      // With the lost stream, the peer may have forgotten what it knew about us.
      const topics = this.#gossip.getTopics()
      if (topics.length > 0) this.#gossip.sendSubscriptions(id, topics, true)
      this.#graft(id)
      this.#tell(id)
    }
  }

  /** Opens a stream on this connection. The engine's own queue would delay all peers while one of them is stalled. */
  async #open(peer: PeerId, connection: Connection): Promise<void> {
    if (this.#opening.has(connection)) return
    this.#opening.add(connection)
    const id = peer.toString()
    const { streamsOutbound } = this.#gossip
    const old = streamsOutbound.get(id)
    // The engine looks for another stream before it begins. The old one stays in use until the new one exists.
    streamsOutbound.delete(id)
    let raw: Stream | undefined
    const newStream: Connection['newStream'] = async (...args) => (raw = await liveStream(connection, args))
    const created = this.#gossip.createOutboundStream(
      peer,
      Object.create(connection, { newStream: { value: newStream } })
    )
    if (old !== undefined) streamsOutbound.set(id, old)
    await created.finally(() => this.#opening.delete(connection))
    const stream = streamsOutbound.get(id)
    const previous = this.#outbound.get(id)
    if (raw === undefined || stream === undefined || stream === previous?.stream) return
    this.#outbound.set(id, { stream, connection, raw })
    // Data that waits in it is still sent if its connection can.
    void previous?.stream.close()
    this.#graft(id)
    this.#tell(id)
  }

  /** Tells the peer again which meshes it is in, because it may have forgotten. */
  #graft(id: string): void {
    const topics = [...this.#gossip.mesh].filter(([, peers]) => peers.has(id)).map(([topic]) => topic)
    if (topics.length > 0) this.#gossip.sendGraft(id, topics)
  }

  /**
   * Opens streams that have been missing for some heartbeats. A new stream from here also makes most peers open one to
   * here.
   */
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
   * Kubo stops opening streams to a peer whose connection was replaced five times within ten minutes, until the peer
   * reconnects. The existing connection stays open, because Kubo may choose it for its stream.
   */
  async #renew(peer: PeerId): Promise<void> {
    try {
      await this.#libp2p.dial(peer, { force: true, signal: AbortSignal.timeout(renewTimeout) })
    } catch {
      // The peer cannot be dialled from here, but it may connect to us.
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
      // The peer has left, or the node is stopping.
    }
  }

  #forget(peer: PeerId): void {
    const id = peer.toString()
    this.#recovery.owe(id)
    this.#gossip.removePeer(peer)
    // Frames that they have read are still processed, but the readers are not part of the next connection.
    this.#readers.delete(id)
    this.#outbound.delete(id)
    this.#missing.delete(id)
    this.#heardAt.delete(id)
    this.#ended.delete(id)
  }
}

/**
 * Both sides may see two connections open in a different order. Each moves to its own newest connection and stays
 * there.
 */
function isNewer(connection: Connection, than: Connection): boolean {
  return than.status !== 'open' || connection.timeline.open >= than.timeline.open
}
