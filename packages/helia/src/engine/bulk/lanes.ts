import { laneMaker } from '#runtime/lanes'
import { BoundedMap, concatBytes } from '@p2pl/core/backend'
import { type LaneListener, type LaneSocket, ticketTime } from './lane.ts'

/** The most lanes that are offered but not open yet. */
const maxTickets = 256
const portBytes = 2
const ticketBytes = 16
const secretBytes = 32

interface Ticket {
  readonly peer: string
  readonly secret: Uint8Array
  readonly deadline: number
}

/**
 * Offers lanes to peers, and accepts the offers of others. An offer travels on the connection that has proved the
 * identity of both peers.
 */
export class Lanes {
  readonly #host: string | undefined
  readonly #accept: (peer: string, socket: LaneSocket) => void
  readonly #tickets = new BoundedMap<string, Ticket>(maxTickets)
  #listener: Promise<LaneListener> | undefined
  #closed = false

  /** `host`: where to listen; `undefined` to listen nowhere. */
  constructor(host: string | undefined, accept: (peer: string, socket: LaneSocket) => void) {
    this.#host = host
    this.#accept = accept
  }

  /** The body of an offer; empty if no lane can be offered. The first offer opens the port. */
  async offer(peer: string): Promise<Uint8Array> {
    if (laneMaker === undefined || this.#host === undefined || this.#closed) return new Uint8Array()
    this.#listener ??= laneMaker.listen(
      this.#host,
      (ticket) => this.#secretOf(ticket),
      (socket, ticket) => this.#open(socket, ticket)
    )
    const { port } = await this.#listener
    const random = crypto.getRandomValues(new Uint8Array(ticketBytes + secretBytes))
    const deadline = performance.now() + ticketTime
    // A peer has one ticket at a time.
    for (const [other, { peer: owner }] of this.#tickets) if (owner === peer) this.#tickets.delete(other)
    this.#tickets.set(textOf(random.subarray(0, ticketBytes)), { peer, secret: random.subarray(ticketBytes), deadline })
    return concatBytes(Uint8Array.of(port >>> 8, port & 0xff), random)
  }

  /** Opens an offered lane. */
  async take(host: string, offer: Uint8Array): Promise<LaneSocket> {
    if (laneMaker === undefined || offer.byteLength !== portBytes + ticketBytes + secretBytes)
      throw new Error('no lane was offered')
    const port = ((offer[0] as number) << 8) | (offer[1] as number)
    const ticket = textOf(offer.subarray(portBytes, portBytes + ticketBytes))
    const socket = await laneMaker.dial({ host, port }, { ticket, secret: offer.slice(portBytes + ticketBytes) })
    if (!this.#closed) return socket
    socket.destroy()
    throw new Error('this side has stopped')
  }

  close(): void {
    this.#closed = true
    this.#tickets.clear()
    this.#listener?.then((listener) => listener.close()).catch(() => undefined)
  }

  #secretOf(text: string): Uint8Array | undefined {
    const ticket = this.#tickets.get(text)
    return ticket !== undefined && performance.now() < ticket.deadline ? ticket.secret : undefined
  }

  #open(socket: LaneSocket, text: string): void {
    const ticket = this.#tickets.get(text)
    // A ticket opens one lane.
    this.#tickets.delete(text)
    if (ticket === undefined || this.#closed) socket.destroy()
    else this.#accept(ticket.peer, socket)
  }
}

/** Whether this runtime can open lanes. */
export const hasLanes: boolean = laneMaker !== undefined

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
