import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { FairSlots, systemClock, verifyBlock } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { newBulkBreather } from '../streams/breather.ts'
import { Channel, type ChannelEvents } from './channel.ts'
import { BreachError, bulkProtocol } from './frames.ts'
import { LaneDoor, type LaneRules } from './lane-door.ts'
import { Link } from './link.ts'
import type { Pipe, PipeEvents } from './pipe.ts'
import type { BlockSource, Serving } from './server.ts'
import { SocketPipe } from './socket-pipe.ts'
import { StreamPipe } from './stream-pipe.ts'
import type { Want } from './want.ts'
import { Wants } from './wants.ts'

const openTimeout = 10_000
/** A channel is closed when nothing has arrived on it for this long (ms). */
const idleTime = 30_000
/** How long (ms) to wait for a new peer to say which protocols it speaks. */
const introduction = 1_000
/** A peer that has ended this many channels without sending a block is not asked again until it reconnects. */
const maxFailures = 3
/** How many portions of blocks are read for others at once. */
const readsAtOnce = 16

/** The bulk exchange with all peers that speak it. */
export class Bulk {
  readonly #libp2p: Libp2p
  readonly #serving: Serving
  readonly #wants = new Wants(() => this.#hasNewcomers())
  /** Connected peers whose protocols are not known yet, and since when they are connected. */
  readonly #newcomers = new Map<string, number>()
  readonly #links = new Map<string, Link>()
  /** Channels, and when something last arrived on each. */
  readonly #channels = new Map<Channel, number>()
  /** A plain member, because tests read it. */
  readonly door: LaneDoor
  #topology: string | undefined
  #timer: unknown

  constructor(libp2p: Libp2p, source: BlockSource, rules: LaneRules) {
    this.#libp2p = libp2p
    this.#serving = { source, breather: newBulkBreather(), slots: new FairSlots(readsAtOnce, () => true) }
    this.door = new LaneDoor(libp2p, rules, (id, socket) => {
      const link = this.#links.get(id)
      const channel = this.#channel(id, (events) => new SocketPipe(socket, events), link)
      link?.use(channel)
      this.#wants.schedule()
      return channel
    })
    libp2p.addEventListener('peer:connect', ({ detail }) => {
      this.#newcomers.set(detail.toString(), performance.now())
    })
    libp2p.addEventListener('peer:identify', ({ detail }) => this.#introduced(detail.peerId.toString()))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      const id = detail.toString()
      this.#introduced(id)
      // The engine informs protocols only after reading the peer store, when the peer may already be connected again.
      this.#leave(this.#links.get(id))
      this.door.leave(id)
    })
  }

  async start(): Promise<void> {
    const accept = (stream: Stream, { remotePeer }: Connection): void => {
      this.#channel(remotePeer.toString(), (events) => new StreamPipe(stream, events), undefined)
    }
    await this.#libp2p.handle(bulkProtocol, accept, { maxInboundStreams: 2 })
    this.#topology = await this.#libp2p.register(bulkProtocol, {
      onConnect: (peer, connection) => this.#join(peer.toString(), connection)
    })
    this.#timer = systemClock.setTimeout(() => this.#sweep(), idleTime)
  }

  async stop(): Promise<void> {
    systemClock.clearTimeout(this.#timer)
    this.#wants.close()
    this.#links.clear()
    this.door.close()
    for (const channel of this.#channels.keys()) channel.pipe.abort(new Error('this side stops'))
    this.#channels.clear()
    if (this.#topology !== undefined) this.#libp2p.unregister(this.#topology)
    await this.#libp2p.unhandle(bulkProtocol)
  }

  /**
   * Asks for a block until `end`. `nobody` is called when none of the linked peers has it, now or after a peer has
   * left.
   */
  want(cid: CID, session: string, found: Want['found'], nobody: Want['nobody']): Want {
    const want: Want = {
      cid,
      session,
      found,
      nobody,
      at: [],
      lacking: new Set(),
      having: new Set(),
      asked: false,
      ended: false
    }
    this.#wants.add(want)
    return want
  }

  end(want: Want): void {
    this.#wants.end(want)
  }

  /** Closes the idle channels on which nothing has arrived for this long (ms). */
  closeIdle(time: number): void {
    const now = performance.now()
    for (const [channel, heardAt] of this.#channels) if (channel.idle && now - heardAt >= time) channel.pipe.close()
  }

  #hasNewcomers(): boolean {
    const now = performance.now()
    for (const since of this.#newcomers.values()) if (now - since < introduction) return true
    return false
  }

  #introduced(id: string): void {
    if (this.#newcomers.delete(id)) this.#wants.schedule()
  }

  #join(id: string, connection: Connection): void {
    if (this.#links.has(id)) return
    const link = new Link(id, () => void this.#open(link, connection))
    this.#links.set(id, link)
    this.#wants.attach(link)
  }

  #leave(link: Link | undefined): void {
    if (link === undefined) return
    // The peer may be back with another link.
    if (this.#links.get(link.id) === link) this.#links.delete(link.id)
    this.#wants.detach(link)
  }

  async #open(link: Link, { remotePeer }: Connection): Promise<void> {
    try {
      // A better connection may have replaced the one by which the link began.
      const connection = this.#libp2p
        .getConnections(remotePeer)
        .findLast(({ status, limits }) => status === 'open' && limits === undefined)
      if (connection === undefined) throw new Error('the peer is not connected')
      const stream = await connection.newStream(bulkProtocol, {
        signal: AbortSignal.timeout(openTimeout),
        negotiateFully: false
      })
      link.use(this.#channel(link.id, (events) => new StreamPipe(stream, events), link))
      this.#wants.schedule()
    } catch {
      // The peer does not speak the protocol after all, or the connection has ended. Others are asked.
      this.#leave(link)
    }
  }

  /** `link`: the peer that this side asks on the channel. */
  #channel(id: string, open: (events: PipeEvents) => Pipe, link: Link | undefined): Channel {
    const channel: Channel = new Channel(id, open, this.#serving, {
      ...this.#answers(link),
      received: (bytes) => {
        const now = performance.now()
        this.#channels.set(channel, now)
        if (link === undefined) return
        link.received(bytes, now)
        this.door.received(id, channel, bytes)
      },
      lane: (kind, body) => this.door.frame(id, channel, kind, body),
      end: () => {
        this.#channels.delete(channel)
        if (link === undefined) return
        this.#wants.owed(link, link.lose(channel))
        if (link.failures === maxFailures) this.#leave(link)
      }
    })
    this.#channels.set(channel, performance.now())
    return channel
  }

  #answers(link: Link | undefined): Pick<ChannelEvents, 'block' | 'have' | 'missing'> {
    const refuse = (): never => {
      throw new BreachError('the peer answers what it was not asked')
    }
    if (link === undefined) return { block: refuse, have: refuse, missing: refuse }
    return {
      block: (want, bytes) => void this.#take(link, want, bytes),
      have: (want) => this.#wants.have(link, want),
      missing: (want) => this.#wants.missing(link, want)
    }
  }

  async #take(link: Link, want: Want, bytes: Uint8Array): Promise<void> {
    try {
      await verifyBlock(want.cid, bytes, 'blocks.get', 'helia')
    } catch {
      // Nothing else from this peer can be trusted, so it is not asked again until it reconnects.
      link.channel?.pipe.abort(new BreachError('the peer sent bytes that are not the block'))
      this.#leave(link)
      return
    }
    link.delivered(bytes.byteLength)
    want.found(bytes)
    this.#wants.schedule()
  }

  #sweep(): void {
    this.#timer = systemClock.setTimeout(() => this.#sweep(), idleTime)
    this.closeIdle(idleTime)
  }
}
