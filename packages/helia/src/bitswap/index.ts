import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { textOf, Window } from '@p2pl/embedded'
import { Client } from './client.ts'
import { Outbox, protocol } from './outbox.ts'
import { Ledger, type ReadBlock } from './server.ts'
import { decodeMessage, Frames } from './wire.ts'

/** Streams at a time with one peer: some nodes open one for every message. */
const maxStreams = 256
/** Messages with blocks that are in memory at a time. */
const maxServing = 32
/** The remote has ended its side: this is a frame on its way, not a wait for somebody. In milliseconds. */
const closeLimit = 5_000

interface Neighbour {
  readonly outbox: Outbox
  readonly ledger: Ledger
}

/**
 * Bitswap 1.2.0 with every connected peer that speaks it. It keeps one stream to each for as long as there is something to
 * say, asks again what stays unanswered, and tells others when a want is over; a peer that stands still delays nobody else.
 */
export class Bitswap {
  readonly #libp2p: Libp2p
  readonly #read: ReadBlock
  readonly #client = new Client()
  readonly #neighbours = new Map<string, Neighbour>()
  readonly #wanted = new Map<string, Set<Ledger>>()
  readonly #serving = new Window(maxServing)
  #topology: string | undefined

  constructor(libp2p: Libp2p, read: ReadBlock) {
    this.#libp2p = libp2p
    this.#read = read
  }

  async start(): Promise<void> {
    await this.#libp2p.handle(protocol, (stream, connection) => void this.#receive(stream, connection), {
      maxInboundStreams: maxStreams,
      maxOutboundStreams: maxStreams
    })
    this.#topology = await this.#libp2p.register(protocol, {
      onConnect: (peer) => void this.#neighbour(peer),
      onDisconnect: (peer) => this.#leave(peer.toString())
    })
  }

  async stop(): Promise<void> {
    if (this.#topology !== undefined) this.#libp2p.unregister(this.#topology)
    await this.#libp2p.unhandle(protocol)
    this.#client.stop()
    for (const id of this.#neighbours.keys()) this.#leave(id)
  }

  /** Bytes that hash to the CID, from whichever peer has them first, now or later. */
  want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    return this.#client.want(cid, signal)
  }

  /** Blocks came into the own store: whoever wants one gets it. */
  notify(cids: readonly CID[]): void {
    if (this.#wanted.size === 0) return
    for (const cid of cids) {
      const key = textOf(cid.multihash.bytes)
      for (const ledger of this.#wanted.get(key) ?? []) ledger.arrived(key)
    }
  }

  #neighbour(peer: PeerId): Neighbour {
    const id = peer.toString()
    const known = this.#neighbours.get(id)
    if (known !== undefined) return known
    const outbox = new Outbox(this.#libp2p, peer)
    const neighbour = { outbox, ledger: new Ledger(outbox, this.#read, this.#serving, this.#wanted) }
    this.#neighbours.set(id, neighbour)
    this.#client.connected(id, outbox)
    return neighbour
  }

  #leave(id: string): void {
    const neighbour = this.#neighbours.get(id)
    this.#neighbours.delete(id)
    this.#client.disconnected(id)
    neighbour?.ledger.close()
    neighbour?.outbox.close()
  }

  async #receive(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const id = remotePeer.toString()
    try {
      const frames = new Frames()
      for await (const chunk of stream) {
        for (const part of chunk instanceof Uint8Array ? [chunk] : chunk)
          for (const frame of frames.push(part)) {
            const message = decodeMessage(frame)
            // Only who is connected is listened to: an entry made here would stay.
            if (this.#libp2p.getConnections(remotePeer).length === 0) return
            this.#client.receive(id, message)
            if (message.entries.length > 0 || message.full) this.#neighbour(remotePeer).ledger.receive(message)
          }
      }
      // Answers go their own way. Not before all is read: a remote that says one thing and closes (as Go nodes do) has then
      // closed both ways, and the engine drops what it has not handed out.
      await stream.close({ signal: AbortSignal.timeout(closeLimit) })
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
