import { digestBytes } from '#runtime/digest'
import type { CID } from 'multiformats/cid'
import { plain, textOf } from '@p2pl/embedded'
import type { Outbox } from './outbox.ts'
import { encodeMessage, readVarint, type Entry, type Message, type WireBlock } from './wire.ts'
import { keepNothingAlive } from '@p2pl/embedded'
import { soon } from '../timers.ts'

/** How often wants without an answer are looked at. */
const tick = 100
/** A peer that was asked for the block and is silent for this long is not waited for any longer. */
const silence = 400
/** After this long everybody is asked again: answers get lost, and blocks come to those who had none. */
const firstRound = 5_000
const longestRound = 30_000
/** Who delivered within this time is asked first, and alone. */
const hot = 5_000

interface Want {
  readonly cid: CID
  readonly key: string
  readonly promise: Promise<Uint8Array>
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  waiters: number
  /** Peers that were asked, and for what. */
  readonly asked: Map<string, 'have' | 'block'>
  /** Peers that said that they have it. */
  readonly haves: Set<string>
  askedAt: number
  roundAt: number
  round: number
}

interface Neighbour {
  readonly id: string
  readonly outbox: Outbox
  entries: Entry[]
  flushing: boolean
  deliveredAt: number
}

/**
 * Wants of the own node. Asks one peer for the block and the others whether they have it; goes on to the next when one has not,
 * or is silent. One want per block, whoever asks for it; an answer is taken whenever it comes.
 */
export class Client {
  readonly #wants = new Map<string, Want>()
  readonly #neighbours = new Map<string, Neighbour>()
  #timer: ReturnType<typeof setInterval> | undefined

  connected(id: string, outbox: Outbox): void {
    const neighbour: Neighbour = { id, outbox, entries: [], flushing: false, deliveredAt: -Infinity }
    this.#neighbours.set(id, neighbour)
    for (const want of this.#wants.values()) this.#ask(neighbour, want, hasOutstanding(want) ? 'have' : 'block')
  }

  disconnected(id: string): void {
    this.#neighbours.delete(id)
    for (const want of this.#wants.values()) {
      want.haves.delete(id)
      if (want.asked.delete(id) && !hasOutstanding(want)) this.#askNext(want)
    }
  }

  async want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const key = textOf(cid.multihash.bytes)
    const want = this.#wants.get(key) ?? this.#start(cid, key)
    want.waiters++
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => {
      aborted.reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([want.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (--want.waiters === 0) this.#end(want)
    }
  }

  receive(from: string, { blocks, presences }: Message): void {
    // Nobody is asked to hash what nobody asked for.
    for (const block of blocks) if (this.#wants.size > 0) this.#receiveBlock(from, block)
    for (const { cid, have } of presences) this.#receivePresence(from, cid, have)
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const want of this.#wants.values()) want.reject(new Error('the exchange has stopped'))
    this.#wants.clear()
    this.#neighbours.clear()
  }

  #start(cid: CID, key: string): Want {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    promise.catch(() => {})
    const now = performance.now()
    const want: Want = {
      cid,
      key,
      promise,
      resolve,
      reject,
      waiters: 0,
      asked: new Map(),
      haves: new Set(),
      askedAt: now,
      roundAt: now,
      round: firstRound
    }
    this.#wants.set(key, want)
    this.#askFirst(want)
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), tick)
      keepNothingAlive(this.#timer)
    }
    return want
  }

  /** Delivered or given up: those who were asked may forget it. */
  #end(want: Want): void {
    if (this.#wants.get(want.key) !== want) return
    this.#wants.delete(want.key)
    for (const id of want.asked.keys())
      this.#tell(id, { cid: want.cid.bytes, cancel: true, have: false, sendDontHave: false })
    if (this.#wants.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #receiveBlock(from: string, block: WireBlock): void {
    const key = keyOf(block)
    const want = key === undefined ? undefined : this.#wants.get(key)
    if (want === undefined) return
    const neighbour = this.#neighbours.get(from)
    if (neighbour !== undefined) neighbour.deliveredAt = performance.now()
    want.resolve(plain(block.data))
    this.#end(want)
  }

  #receivePresence(from: string, cid: Uint8Array, have: boolean): void {
    const key = multihashOf(cid)
    const want = key === undefined ? undefined : this.#wants.get(key)
    if (want?.asked.has(from) !== true) return
    if (have) want.haves.add(from)
    else {
      want.haves.delete(from)
      want.asked.set(from, 'have')
    }
    if (!hasOutstanding(want)) this.#askNext(want)
  }

  #askFirst(want: Want): void {
    const now = performance.now()
    let first: Neighbour | undefined
    for (const neighbour of this.#neighbours.values())
      if (first === undefined || neighbour.deliveredAt > first.deliveredAt) first = neighbour
    if (first === undefined) return
    this.#ask(first, want, 'block')
    if (now - first.deliveredAt < hot) return
    for (const neighbour of this.#neighbours.values()) if (neighbour !== first) this.#ask(neighbour, want, 'have')
  }

  /** The next one who has it; else everybody who was not asked yet. */
  #askNext(want: Want): void {
    for (const id of want.haves) {
      const neighbour = want.asked.get(id) === 'block' ? undefined : this.#neighbours.get(id)
      if (neighbour === undefined) continue
      this.#ask(neighbour, want, 'block')
      return
    }
    for (const neighbour of this.#neighbours.values())
      if (!want.asked.has(neighbour.id)) this.#ask(neighbour, want, 'have')
  }

  #ask(neighbour: Neighbour, want: Want, what: 'have' | 'block'): void {
    want.asked.set(neighbour.id, what)
    if (what === 'block') want.askedAt = performance.now()
    this.#tell(neighbour.id, { cid: want.cid.bytes, cancel: false, have: what === 'have', sendDontHave: true })
  }

  /** What is told in one turn of the event loop, or while a message is on its way, goes in one message. */
  #tell(id: string, entry: Entry): void {
    const neighbour = this.#neighbours.get(id)
    if (neighbour === undefined) return
    neighbour.entries.push(entry)
    if (neighbour.flushing) return
    neighbour.flushing = true
    soon(() => void this.#flush(neighbour))
  }

  async #flush(neighbour: Neighbour): Promise<void> {
    while (neighbour.entries.length > 0 && this.#neighbours.get(neighbour.id) === neighbour) {
      const { entries } = neighbour
      neighbour.entries = []
      try {
        await neighbour.outbox.send(encodeMessage({ full: false, entries, blocks: [], presences: [] }))
      } catch {
        // There is no way to it for now: the others are asked, and it is asked again in the next round.
        break
      }
    }
    neighbour.flushing = false
  }

  #tick(): void {
    const now = performance.now()
    for (const want of this.#wants.values()) {
      if (now - want.roundAt >= want.round) this.#again(want, now)
      else if (now - want.askedAt >= silence) {
        want.askedAt = now
        this.#askNext(want)
      }
    }
  }

  #again(want: Want, now: number): void {
    want.roundAt = now
    want.round = Math.min(want.round * 2, longestRound)
    want.askedAt = now
    want.asked.clear()
    // For the block itself: a node that takes the question for answered would not answer it twice.
    for (const neighbour of this.#neighbours.values())
      this.#ask(neighbour, want, want.haves.size === 0 || want.haves.has(neighbour.id) ? 'block' : 'have')
  }
}

/** Whether somebody was asked for the block and has not said that it is not there. */
function hasOutstanding({ asked }: Want): boolean {
  for (const what of asked.values()) if (what === 'block') return true
  return false
}

const hashNames: Readonly<Record<number, 'sha256' | 'sha512'>> = { 0x12: 'sha256', 0x13: 'sha512' }

/** The multihash that the bytes have, in the hash that the prefix names. */
function keyOf({ prefix, data }: WireBlock): string | undefined {
  try {
    const version = readVarint(prefix, 0)
    const codec = readVarint(prefix, version.end)
    const code = readVarint(prefix, codec.end)
    const length = readVarint(prefix, code.end)
    const name = hashNames[code.value]
    if (name === undefined) return undefined
    const digest = digestBytes(name, data)
    if (length.value !== digest.length) return undefined
    return textOf(Uint8Array.of(code.value, digest.length)) + textOf(digest)
  } catch {
    return undefined
  }
}

/** The multihash within the bytes of a CID. */
function multihashOf(cid: Uint8Array): string | undefined {
  try {
    if (cid[0] === 0x12 && cid[1] === 0x20) return textOf(cid)
    return textOf(cid.subarray(readVarint(cid, readVarint(cid, 0).end).end))
  } catch {
    return undefined
  }
}
