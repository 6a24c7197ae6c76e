import { readUint32, textOf, uint32 } from '../bytes.ts'
import { untilAborted } from '@p2pl/embedded'
import { frame } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'
import { matches } from '../hashes.ts'

/** A participant that offered a block and then sends nothing is passed over. */
const stallLimit = 5_000
const strikeForLies = 50

interface Transfer {
  readonly link: Link
  readonly bytes: Uint8Array
  received: number
  timer: NodeJS.Timeout | undefined
}

/** A block that is looked for. */
interface Want {
  readonly id: number
  readonly multihash: Uint8Array
  readonly asked: Set<Link>
  /** Who has it and has not failed yet. */
  readonly offers: { readonly link: Link; readonly size: number }[]
  transfer: Transfer | undefined
  readonly found: PromiseWithResolvers<Uint8Array>
  users: number
}

/** Asks everybody who is linked for blocks, now and whenever somebody joins, and fetches each from one of those who have it. */
export class Client {
  readonly #links: () => readonly Link[]
  readonly #maxBytes: number
  readonly #wants = new Map<string, Want>()
  readonly #byId = new Map<number, Want>()
  readonly #busy = new Map<Link, number>()
  #nextId = 1

  constructor(links: () => readonly Link[], maxBytes: number) {
    this.#links = links
    this.#maxBytes = maxBytes
  }

  /** The block, checked, once somebody has it; as long as the signal does not fire. */
  async want(multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const text = textOf(multihash)
    const want = this.#wants.get(text) ?? this.#begin(text, multihash)
    want.users++
    try {
      return await untilAborted(want.found.promise, signal)
    } finally {
      if (--want.users === 0) this.#end(text, want)
    }
  }

  /** Whether a block is under way on the link. */
  uses(link: Link): boolean {
    return this.#busy.has(link)
  }

  /** The block came another way. */
  resolve(multihash: Uint8Array, bytes: Uint8Array): void {
    const want = this.#wants.get(textOf(multihash))
    if (want !== undefined) this.#finish(want, bytes)
  }

  opened(link: Link): void {
    for (const want of this.#byId.values()) this.#ask(want, link)
  }

  closed(link: Link): void {
    this.#busy.delete(link)
    for (const want of this.#byId.values()) {
      want.asked.delete(link)
      const at = want.offers.findIndex((offer) => offer.link === link)
      if (at !== -1) want.offers.splice(at, 1)
      if (want.transfer?.link === link) this.#next(want)
    }
  }

  frame(link: Link, kind: number, body: Uint8Array): boolean {
    if (kind !== frame.offer && kind !== frame.chunk) return false
    if (body.byteLength < 8) throw new RangeError('an answer is cut off')
    const want = this.#byId.get(readUint32(body, 0))
    const size = readUint32(body, 4)
    // What was not asked for, or is no longer: normal for a moment, and nothing is kept of it.
    if (want?.asked.has(link) !== true) return true
    if (size > this.#maxBytes) {
      link.strike(strikeForLies)
      return true
    }
    if (kind === frame.offer) this.#onOffer(want, link, size)
    else this.#onChunk(want, link, size, readUint32(body, 8), body.subarray(12))
    return true
  }

  #begin(text: string, multihash: Uint8Array): Want {
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) >>> 0
    const found = Promise.withResolvers<Uint8Array>()
    found.promise.catch(() => {})
    const want: Want = { id, multihash, asked: new Set(), offers: [], transfer: undefined, found, users: 0 }
    this.#wants.set(text, want)
    this.#byId.set(id, want)
    for (const link of this.#links()) this.#ask(want, link)
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

  #onOffer(want: Want, link: Link, size: number): void {
    if (want.offers.some((offer) => offer.link === link)) return
    want.offers.push({ link, size })
    if (want.transfer === undefined) this.#next(want)
  }

  /** Fetches from the least busy of those who offered. */
  #next(want: Want): void {
    this.#drop(want)
    const load = (link: Link): number => this.#busy.get(link) ?? 0
    want.offers.sort((a, b) => load(a.link) - load(b.link))
    const offer = want.offers.shift()
    if (offer === undefined) return
    this.#start(want, offer.link, offer.size)
    offer.link.send(frame.fetch, uint32(want.id))
  }

  #start(want: Want, link: Link, size: number): Transfer {
    const transfer: Transfer = { link, bytes: new Uint8Array(size), received: 0, timer: undefined }
    want.transfer = transfer
    this.#busy.set(link, (this.#busy.get(link) ?? 0) + 1)
    transfer.timer = setTimeout(() => this.#stalled(want, transfer), stallLimit).unref()
    return transfer
  }

  #stalled(want: Want, transfer: Transfer): void {
    if (want.transfer !== transfer) return
    this.#again(want, transfer.link)
  }

  #onChunk(want: Want, link: Link, size: number, offset: number, part: Uint8Array): void {
    let { transfer } = want
    if (transfer?.link !== link) {
      // Unasked, a block comes only whole and small.
      if (offset !== 0 || part.byteLength !== size) return
      if (transfer !== undefined) {
        if (matches(want.multihash, part)) this.#finish(want, new Uint8Array(part))
        return
      }
      transfer = this.#start(want, link, size)
    }
    if (offset !== transfer.received || offset + part.byteLength > transfer.bytes.byteLength) {
      link.strike(strikeForLies)
      return this.#again(want, link)
    }
    transfer.bytes.set(part, offset)
    transfer.received += part.byteLength
    transfer.timer?.refresh()
    if (transfer.received < transfer.bytes.byteLength) return
    if (matches(want.multihash, transfer.bytes)) return this.#finish(want, transfer.bytes)
    link.strike(strikeForLies)
    this.#again(want, link)
  }

  /** This one failed: it is asked anew, behind the others. */
  #again(want: Want, link: Link): void {
    link.send(frame.cancel, uint32(want.id))
    want.asked.delete(link)
    this.#next(want)
    setTimeout(() => {
      if (this.#byId.get(want.id) === want && link.open) this.#ask(want, link)
    }, stallLimit).unref()
  }

  #finish(want: Want, bytes: Uint8Array): void {
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
