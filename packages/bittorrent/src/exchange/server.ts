import { readUint32, textOf, uint32 } from '../bytes.ts'
import { frame } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'

export const chunkLength = 16_384
/** Smaller blocks come with the answer: asking again would cost more. */
const inlineLength = 8_192
const maxAsks = 2_048
const maxMultihash = 128
const maxQueued = 1_024
/** Chunks wait for the reader beyond this, so that messages do not stand behind a whole file. */
const sendAhead = 256 * 1024

/** What one participant asks for. */
interface Client {
  readonly asks: Map<number, Uint8Array>
  /** Requests that it told to send. */
  readonly queue: number[]
  sending: boolean
}

/** Serves the own blocks to whoever is linked. An ask for what is not here stays open until it is. */
export class Server {
  readonly #load: (multihash: Uint8Array) => Promise<Uint8Array | undefined>
  readonly #clients = new Map<Link, Client>()
  /** Who waits for a multihash. */
  readonly #waiting = new Map<string, Map<Link, Set<number>>>()

  constructor(load: (multihash: Uint8Array) => Promise<Uint8Array | undefined>) {
    this.#load = load
  }

  closed(link: Link): void {
    const client = this.#clients.get(link)
    if (client === undefined) return
    this.#clients.delete(link)
    for (const [id, multihash] of client.asks) this.#forget(link, id, multihash)
  }

  frame(link: Link, kind: number, body: Uint8Array): boolean {
    if (kind !== frame.ask && kind !== frame.fetch && kind !== frame.cancel) return false
    if (body.byteLength < 4) throw new RangeError('a request is cut off')
    if (!link.spend()) return true
    const id = readUint32(body, 0)
    if (kind === frame.ask) this.#onAsk(link, id, body.subarray(4))
    else if (kind === frame.fetch) this.#onFetch(link, id)
    else this.#onCancel(link, id)
    return true
  }

  /** These are stored now: who waits for them is told. */
  stored(multihashes: readonly Uint8Array[]): void {
    if (this.#waiting.size === 0) return
    for (const multihash of multihashes) {
      const waiting = this.#waiting.get(textOf(multihash))
      for (const [link, ids] of waiting ?? []) for (const id of ids) void this.#answer(link, id, multihash)
    }
  }

  #onAsk(link: Link, id: number, bytes: Uint8Array): void {
    let client = this.#clients.get(link)
    if (client === undefined) {
      client = { asks: new Map(), queue: [], sending: false }
      this.#clients.set(link, client)
    }
    if (client.asks.size >= maxAsks || bytes.byteLength > maxMultihash || client.asks.has(id)) return link.strike(5)
    const multihash = new Uint8Array(bytes)
    client.asks.set(id, multihash)
    const text = textOf(multihash)
    const waiting = this.#waiting.get(text) ?? new Map<Link, Set<number>>()
    this.#waiting.set(text, waiting)
    waiting.set(link, (waiting.get(link) ?? new Set()).add(id))
    void this.#answer(link, id, multihash)
  }

  async #answer(link: Link, id: number, multihash: Uint8Array): Promise<void> {
    try {
      const bytes = await this.#load(multihash)
      if (bytes === undefined || this.#clients.get(link)?.asks.has(id) !== true) return
      if (bytes.byteLength > inlineLength) link.send(frame.offer, uint32(id), uint32(bytes.byteLength))
      else {
        this.#onCancel(link, id)
        link.send(frame.chunk, uint32(id), uint32(bytes.byteLength), uint32(0), bytes)
      }
    } catch {
      // The store is closing, or cannot be read: there is nothing to offer.
    }
  }

  #onFetch(link: Link, id: number): void {
    const client = this.#clients.get(link)
    if (client?.asks.has(id) !== true) return
    if (client.queue.length >= maxQueued) return link.strike(1)
    client.queue.push(id)
    if (!client.sending) void this.#send(link, client)
  }

  async #send(link: Link, client: Client): Promise<void> {
    client.sending = true
    try {
      for (let id = client.queue.shift(); id !== undefined && link.open; id = client.queue.shift()) {
        const multihash = client.asks.get(id)
        const bytes = multihash === undefined ? undefined : await this.#load(multihash)
        if (bytes === undefined) continue
        for (let at = 0; at < bytes.byteLength && client.asks.has(id); at += chunkLength) {
          const part = bytes.subarray(at, at + chunkLength)
          link.send(frame.chunk, uint32(id), uint32(bytes.byteLength), uint32(at), part)
          if (link.buffered > sendAhead) await link.drained()
        }
        this.#onCancel(link, id)
      }
    } catch {
      // The store is closing, or cannot be read.
    } finally {
      client.sending = false
    }
  }

  #onCancel(link: Link, id: number): void {
    const client = this.#clients.get(link)
    const multihash = client?.asks.get(id)
    if (client === undefined || multihash === undefined) return
    client.asks.delete(id)
    this.#forget(link, id, multihash)
  }

  #forget(link: Link, id: number, multihash: Uint8Array): void {
    const text = textOf(multihash)
    const waiting = this.#waiting.get(text)
    const ids = waiting?.get(link)
    ids?.delete(id)
    if (ids?.size === 0) waiting?.delete(link)
    if (waiting?.size === 0) this.#waiting.delete(text)
  }
}
