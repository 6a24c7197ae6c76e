import { bytesKey } from '@p2pl/core/backend'
import { readUint32, uint32 } from '../../tools/bytes.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'

export const chunkLength = 16_384
/** Smaller blocks are sent with the answer, because a second request would cost more. */
const inlineLength = 8_192
const maxAsks = 2_048
const maxMultihash = 128
const idLength = 4
/** Further chunks wait when the reader has this many unread bytes, so that messages do not queue behind a whole file. */
const sendAhead = 256 * 1024
/** How many blocks are read at once for one peer. */
const readsAtOnce = 4
const strikeForManyAsks = 5

/** The requests of one peer. */
interface Customer {
  readonly link: Link
  readonly asks: Map<number, Uint8Array>
  /** Requests to look up, because they are new or their block was just stored. */
  readonly look: Set<number>
  /** Requests whose block the peer told this side to send. */
  readonly fetch: Set<number>
  reading: number
  sending: boolean
}

/** Serves local blocks to linked peers. A request for a block that is not here stays open until it is. */
export class Server {
  readonly #load: (multihash: Uint8Array) => Promise<Uint8Array | undefined>
  readonly #customers = new Map<Link, Customer>()
  /** The peers that wait for a multihash. */
  readonly #waiting = new Map<string, Map<Customer, Set<number>>>()

  constructor(frames: Frames, links: Links, load: (multihash: Uint8Array) => Promise<Uint8Array | undefined>) {
    this.#load = load
    const on = (
      kind: number,
      limit: number,
      handle: (customer: Customer, id: number, body: Uint8Array) => void
    ): void =>
      frames.on(kind, idLength + limit, (link, body) => {
        if (body.byteLength < idLength) throw new RangeError('a request is cut off')
        if (link.spend() && link.open) handle(this.#customerOf(link), readUint32(body, 0), body.subarray(idLength))
      })
    on(frame.ask, maxMultihash, (customer, id, multihash) => this.#onAsk(customer, id, new Uint8Array(multihash)))
    on(frame.fetch, 0, (customer, id) => this.#onFetch(customer, id))
    on(frame.cancel, 0, (customer, id) => this.#forget(customer, id))
    links.tell({ closed: (link) => this.#closed(link) })
  }

  /** These blocks were stored: the peers that wait for them are told. */
  stored(multihashes: readonly Uint8Array[]): void {
    if (this.#waiting.size === 0) return
    for (const multihash of multihashes)
      for (const [customer, ids] of this.#waiting.get(bytesKey(multihash)) ?? []) {
        for (const id of ids) customer.look.add(id)
        this.#read(customer)
      }
  }

  #customerOf(link: Link): Customer {
    const known = this.#customers.get(link)
    if (known !== undefined) return known
    const customer = {
      link,
      asks: new Map(),
      look: new Set<number>(),
      fetch: new Set<number>(),
      reading: 0,
      sending: false
    }
    this.#customers.set(link, customer)
    return customer
  }

  #closed(link: Link): void {
    const customer = this.#customers.get(link)
    this.#customers.delete(link)
    for (const id of customer?.asks.keys() ?? []) if (customer !== undefined) this.#forget(customer, id)
  }

  #onAsk(customer: Customer, id: number, multihash: Uint8Array): void {
    if (customer.asks.size >= maxAsks || customer.asks.has(id)) return customer.link.strike(strikeForManyAsks)
    customer.asks.set(id, multihash)
    const text = bytesKey(multihash)
    const waiting = this.#waiting.get(text) ?? new Map<Customer, Set<number>>()
    this.#waiting.set(text, waiting)
    waiting.set(customer, (waiting.get(customer) ?? new Set()).add(id))
    customer.look.add(id)
    this.#read(customer)
  }

  /** Looks up the requests of one peer, a few at a time, so that requests of other peers are not delayed. */
  #read(customer: Customer): void {
    for (const id of customer.look) {
      if (customer.reading >= readsAtOnce) return
      customer.look.delete(id)
      const multihash = customer.asks.get(id)
      if (multihash === undefined) continue
      customer.reading++
      void this.#answer(customer, id, multihash).finally(() => {
        customer.reading--
        this.#read(customer)
      })
    }
  }

  async #answer(customer: Customer, id: number, multihash: Uint8Array): Promise<void> {
    const { link } = customer
    const bytes = await this.#loaded(multihash)
    if (bytes === undefined || !customer.asks.has(id)) return
    if (bytes.byteLength > inlineLength) link.send(frame.offer, uint32(id), uint32(bytes.byteLength))
    else {
      this.#forget(customer, id)
      link.send(frame.chunk, uint32(id), uint32(bytes.byteLength), uint32(0), bytes)
    }
  }

  #onFetch(customer: Customer, id: number): void {
    if (!customer.asks.has(id)) return
    customer.fetch.add(id)
    if (!customer.sending) void this.#send(customer)
  }

  async #send(customer: Customer): Promise<void> {
    const { link, asks, fetch } = customer
    customer.sending = true
    for (const id of fetch) {
      fetch.delete(id)
      const multihash = asks.get(id)
      const bytes = multihash === undefined ? undefined : await this.#loaded(multihash)
      if (bytes === undefined || !link.open) continue
      for (let at = 0; at < bytes.byteLength && asks.has(id); at += chunkLength) {
        const part = bytes.subarray(at, at + chunkLength)
        link.send(frame.chunk, uint32(id), uint32(bytes.byteLength), uint32(at), part)
        if (link.buffered > sendAhead) await link.drained()
      }
      this.#forget(customer, id)
    }
    customer.sending = false
  }

  /** A store that is closing or unreadable has no block to offer. */
  async #loaded(multihash: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#load(multihash).catch(() => undefined)
  }

  #forget(customer: Customer, id: number): void {
    const multihash = customer.asks.get(id)
    if (multihash === undefined) return
    customer.asks.delete(id)
    customer.fetch.delete(id)
    const text = bytesKey(multihash)
    const waiting = this.#waiting.get(text)
    const ids = waiting?.get(customer)
    ids?.delete(id)
    if (ids?.size === 0) waiting?.delete(customer)
    if (waiting?.size === 0) this.#waiting.delete(text)
  }
}
