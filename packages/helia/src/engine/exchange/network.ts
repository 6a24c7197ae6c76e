import type { AbortOptions, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { incoming, type Deliver } from './incoming.ts'
import { Outbox } from './outbox.ts'

/** A sender of more bytes than this waits for a slow peer. Wants are smaller. */
const small = 64 * 1024

/** The part of a stream that a sender of messages uses. */
type Sender = Pick<Stream, 'send' | 'onDrain' | 'close' | 'closeRead' | 'abort'>

/** How many streams of one peer are read at a time. Each may have a large, incomplete message. */
const maxInboundStreams = 16

export type Node = Pick<Libp2p, 'logger' | 'unhandle' | 'register' | 'unregister' | 'getConnections'> & {
  handle(protocols: string | string[]): Promise<void>
  dialProtocol(peer: PeerId, protocol: string): Promise<Sender>
}

/**
 * The node as Bitswap sees it. Bitswap's own code opens a new stream for each message, and tells no other peer of a
 * want while one peer does not open its stream, so one stalled peer would delay all others. Here each peer has an
 * outbox, and only senders to that peer wait for it.
 */
export class Network {
  readonly #libp2p: Libp2p
  readonly #deliver: Deliver
  readonly #outboxes = new Map<string, Outbox>()

  constructor(libp2p: Libp2p, deliver: Deliver) {
    this.#libp2p = libp2p
    this.#deliver = deliver
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#leave(detail.toString()))
  }

  /** The part of a node that Bitswap uses. */
  get libp2p(): Node {
    const { logger } = this.#libp2p
    return {
      logger,
      // Not with the library's own handler: see `incoming`.
      handle: (protocols) => this.#libp2p.handle(protocols, incoming(this.#deliver), { maxInboundStreams }),
      unhandle: this.#libp2p.unhandle.bind(this.#libp2p),
      register: this.#libp2p.register.bind(this.#libp2p),
      unregister: this.#libp2p.unregister.bind(this.#libp2p),
      getConnections: this.#libp2p.getConnections.bind(this.#libp2p),
      dialProtocol: (peer, protocol) => Promise.resolve().then(() => this.#sender(peer, protocol))
    }
  }

  close(): void {
    for (const id of this.#outboxes.keys()) this.#leave(id)
  }

  #sender(peer: PeerId, protocol: string): Sender {
    const outbox = this.#outbox(peer, protocol)
    let sent = 0
    return {
      send: (frame) => {
        outbox.push(frame)
        sent += frame.byteLength
        return sent < small || !outbox.isFull
      },
      onDrain: () => outbox.drained(),
      close: async (_options?: AbortOptions) => {},
      closeRead: async (_options?: AbortOptions) => {},
      abort: () => {}
    }
  }

  #outbox(peer: PeerId, protocol: string): Outbox {
    const id = peer.toString()
    const known = this.#outboxes.get(id)
    if (known !== undefined) return known
    // No peer is dialled to tell it of a want, and an entry for a peer that has left would never be removed.
    if (this.#libp2p.getConnections(peer).length === 0) throw new Error('the peer is not connected')
    const outbox = new Outbox(this.#libp2p, protocol, peer)
    this.#outboxes.set(id, outbox)
    return outbox
  }

  #leave(id: string): void {
    const outbox = this.#outboxes.get(id)
    this.#outboxes.delete(id)
    outbox?.close()
  }
}
