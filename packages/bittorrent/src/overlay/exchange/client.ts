import { bytesKey, untilAborted } from '@p2pl/core/backend'
import { readUint32, uint32 } from '../../tools/bytes.ts'
import { matches } from '../../tools/hashes.ts'
import { frame, type Frames } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import type { Links } from '../links/links.ts'
import { chunkLength } from './server.ts'
import { Want, type Transfer } from './want.ts'

/** Enough for sha2-256 leaves of 1 MiB and their inner nodes, with room to spare. */
export const maxBlockBytes: number = 2 * 1024 * 1024
/** A peer that offered a block but then sends nothing for this long (ms) is skipped. */
const stallTimeout = 5_000
const strikeForLies = 50
const offerLength = 8
const chunkHead = 12

/** Asks every linked peer for blocks, including peers that link later, and fetches each block from a peer that has it. */
export class Client {
  readonly #links: Links
  readonly #wants = new Map<string, Want>()
  readonly #byId = new Map<number, Want>()
  readonly #busy = new Map<Link, number>()
  /** How many transfers stalled on a link. */
  readonly #stalls = new WeakMap<Link, number>()
  #nextId = 1

  constructor(frames: Frames, links: Links) {
    this.#links = links
    frames.on(frame.offer, offerLength, (link, body) => {
      const want = this.#wanted(link, body, offerLength)
      if (want !== undefined) this.#onOffer(want, link, readUint32(body, 4))
    })
    frames.on(frame.chunk, chunkHead + chunkLength, (link, body) => {
      const want = this.#wanted(link, body, chunkHead)
      if (want !== undefined) this.#onChunk(want, link, body)
    })
    links.tell({ opened: (link) => this.#opened(link), closed: (link) => this.#closed(link) })
  }

  /** Resolves with the verified block once a peer has it, unless the signal fires first. */
  async want(multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const text = bytesKey(multihash)
    const want = this.#wants.get(text) ?? this.#begin(text, multihash)
    want.users++
    try {
      return await untilAborted(want.found.promise, signal)
    } finally {
      if (--want.users === 0) this.#end(text, want)
    }
  }

  /** Whether a block is being transferred on the link. */
  uses(link: Link): boolean {
    return this.#busy.has(link)
  }

  /** The block arrived another way. */
  resolve(multihash: Uint8Array, bytes: Uint8Array): void {
    const want = this.#wants.get(bytesKey(multihash))
    if (want !== undefined) this.#finish(want, bytes)
  }

  #opened(link: Link): void {
    for (const want of this.#byId.values()) this.#ask(want, link)
  }

  #closed(link: Link): void {
    this.#busy.delete(link)
    for (const want of this.#byId.values()) {
      want.asked.delete(link)
      const at = want.offers.findIndex((offer) => offer.link === link)
      if (at !== -1) want.offers.splice(at, 1)
      if (want.transfer?.link === link) this.#next(want)
    }
  }

  #begin(text: string, multihash: Uint8Array): Want {
    const want = new Want(this.#nextId, multihash)
    this.#nextId = (this.#nextId + 1) >>> 0
    this.#wants.set(text, want)
    this.#byId.set(want.id, want)
    for (const link of this.#links.all()) this.#ask(want, link)
    return want
  }

  #ask(want: Want, link: Link): void {
    if (want.asked.has(link)) return
    want.asked.add(link)
    link.send(frame.ask, uint32(want.id), want.multihash)
  }

  #end(text: string, want: Want): void {
    this.#wants.delete(text)
    this.#byId.delete(want.id)
    this.#drop(want)
    for (const link of want.asked) link.send(frame.cancel, uint32(want.id))
  }

  /** The want that a frame answers. An answer that comes too late is normal, but has a cost. */
  #wanted(link: Link, body: Uint8Array, head: number): Want | undefined {
    if (body.byteLength < head) throw new RangeError('an answer is cut off')
    const want = this.#byId.get(readUint32(body, 0))
    if (want?.asked.has(link) !== true) return void link.spend()
    if (readUint32(body, 4) <= maxBlockBytes) return want
    link.strike(strikeForLies)
    return undefined
  }

  #onOffer(want: Want, link: Link, size: number): void {
    if (!link.spend() || want.offers.some((offer) => offer.link === link)) return
    want.offers.push({ link, size })
    if (want.transfer === undefined) this.#next(want)
  }

  /** Fetches from the offering link with the fewest stalls; among equals, from the least busy one. */
  #next(want: Want): void {
    this.#drop(want)
    const cost = (link: Link): number => (this.#stalls.get(link) ?? 0) * 1_000 + (this.#busy.get(link) ?? 0)
    want.offers.sort((a, b) => cost(a.link) - cost(b.link))
    const offer = want.offers.shift()
    if (offer === undefined) return
    this.#start(want, offer.link, offer.size)
    offer.link.send(frame.fetch, uint32(want.id))
  }

  #start(want: Want, link: Link, size: number): Transfer {
    const transfer: Transfer = { link, bytes: new Uint8Array(size), received: 0, timer: undefined }
    want.transfer = transfer
    this.#busy.set(link, (this.#busy.get(link) ?? 0) + 1)
    transfer.timer = setTimeout(() => this.#stalled(want, transfer), stallTimeout).unref()
    return transfer
  }

  #stalled(want: Want, transfer: Transfer): void {
    if (want.transfer !== transfer) return
    const { link } = transfer
    this.#stalls.set(link, (this.#stalls.get(link) ?? 0) + 1)
    this.#again(want, link)
  }

  /** The body of a chunk: request, size of the block, offset, bytes. */
  #onChunk(want: Want, link: Link, body: Uint8Array): void {
    const [size, offset, part] = [readUint32(body, 4), readUint32(body, 8), body.subarray(chunkHead)]
    let { transfer } = want
    if (transfer?.link !== link) {
      // Without a request, a peer sends only blocks that are small and whole.
      if (offset !== 0 || part.byteLength !== size) return void link.spend()
      if (transfer !== undefined) {
        if (matches(want.multihash, part)) this.#finish(want, new Uint8Array(part), link)
        return void link.spend()
      }
      transfer = this.#start(want, link, size)
    }
    const end = offset + part.byteLength
    if (offset !== transfer.received || end > transfer.bytes.byteLength || (part.byteLength === 0 && size > 0)) {
      link.strike(strikeForLies)
      return this.#again(want, link)
    }
    transfer.bytes.set(part, offset)
    transfer.received += part.byteLength
    transfer.timer?.refresh()
    if (transfer.received < transfer.bytes.byteLength) return
    if (matches(want.multihash, transfer.bytes)) return this.#finish(want, transfer.bytes, link)
    link.strike(strikeForLies)
    this.#again(want, link)
  }

  /** This peer failed, so it is asked again after the others. */
  #again(want: Want, link: Link): void {
    link.send(frame.cancel, uint32(want.id))
    want.asked.delete(link)
    this.#next(want)
    setTimeout(() => {
      if (this.#byId.get(want.id) === want && link.open) this.#ask(want, link)
    }, stallTimeout).unref()
  }

  #finish(want: Want, bytes: Uint8Array, from?: Link): void {
    if (from !== undefined) from.usefulAt = performance.now()
    this.#drop(want)
    want.found.resolve(bytes)
  }

  #drop(want: Want): void {
    const { transfer } = want
    if (transfer === undefined) return
    want.transfer = undefined
    clearTimeout(transfer.timer)
    const count = this.#busy.get(transfer.link) ?? 0
    if (count > 1) this.#busy.set(transfer.link, count - 1)
    else this.#busy.delete(transfer.link)
  }
}
