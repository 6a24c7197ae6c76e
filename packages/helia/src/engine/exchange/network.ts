import type { AbortOptions, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { incoming, type Deliver } from './incoming.ts'
import { Outbox } from './outbox.ts'

/** A sender of more than this waits for a peer that is slow to read; wants are less. */
const small = 64 * 1024

/** Of a stream, what a sender of messages uses. */
type Sender = Pick<Stream, 'send' | 'onDrain' | 'close' | 'closeRead' | 'abort'>

/** Streams of one peer that are read at a time; each may have a large message that is not whole. */
const maxInboundStreams = 16

export type Node = Pick<Libp2p, 'logger' | 'unhandle' | 'register' | 'unregister' | 'getConnections'> & {
  handle(protocols: string | string[]): Promise<void>
  dialProtocol(peer: PeerId, protocol: string): Promise<Sender>
}

/**
 * The node as Bitswap sees it. Its own way is a new stream for each message, and it tells a want to nobody else while one
 * peer does not open its stream: a peer that stands still would hold up all others. Here each peer has an outbox, and
 * only senders to that peer wait for it.
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

  /** As much of a node as Bitswap uses. */
  get libp2p(): Node {
    const { logger } = this.#libp2p
    return {
      logger,
      // Not by the library's own handler: see `incoming`.
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
    // Nobody is dialled to be told of a want, and an entry made here for somebody who is gone would stay.
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
