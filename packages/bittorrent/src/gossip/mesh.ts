import { concatBytes } from '../bytes.ts'
import { encodeAddresses, frame } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'
import type { Key } from '../keys.ts'

/** Who has so much unread gets no message unasked, only word of it. */
const slowAt = 4 * 1024 * 1024
/** Most neighbours that an own message goes to directly. */
const maxFlood = 32
const maxIdsPerFrame = 1_000
const haveDelay = 50
const addressesPerFrame = 16

/** A message that others say they have. */
interface Missing {
  readonly id: Uint8Array
  readonly sources: Link[]
  due: number
  attempts: number
}

/** A message that was announced usually comes by itself within this time. */
const grace = 150
const retryAfter = 400
const maxAttempts = 8
const maxMissing = 8_192
const sweepInterval = 50

/**
 * Who gets the messages of one topic, and how: at once over links that make up a tree, as a mere id over the others. A link
 * that brings what is already there leaves the tree; one that knows of something missing joins it (Plumtree).
 */
export class Mesh {
  readonly key: Key
  /** Whether messages go to a neighbour unasked. */
  readonly #neighbours = new Map<Link, boolean>()
  readonly #degree: number
  readonly #have = new Map<Link, Uint8Array[]>()
  readonly #missing = new Map<string, Missing>()
  #haveTimer: NodeJS.Timeout | undefined
  #sweepTimer: NodeJS.Timeout | undefined

  constructor(key: Key, degree: number) {
    this.key = key
    this.#degree = degree
  }

  get neighbours(): Link[] {
    return [...this.#neighbours.keys()]
  }

  get size(): number {
    return this.#neighbours.size
  }

  has(link: Link): boolean {
    return this.#neighbours.has(link)
  }

  /** Whether it is a new one. */
  add(link: Link): boolean {
    if (this.#neighbours.has(link)) return false
    this.#neighbours.set(link, this.#eager() < this.#degree)
    return true
  }

  remove(link: Link): void {
    this.#neighbours.delete(link)
    this.#have.delete(link)
  }

  /** Tells a newcomer of others, so that nobody depends on one neighbour or on the DHT. */
  introduce(newcomer: Link): void {
    const others = this.neighbours.filter((link) => link !== newcomer && link.address !== undefined)
    shuffle(others)
    const addresses = others.slice(0, addressesPerFrame).map(({ text }) => text)
    if (addresses.length > 0) newcomer.send(frame.peers, this.key, encodeAddresses(addresses))
  }

  /** An own message, to all neighbours. To how many it was handed. */
  flood(id: Uint8Array, body: Uint8Array): number {
    let sent = 0
    for (const link of this.#neighbours.keys()) {
      if (sent < maxFlood && link.open && link.buffered < slowAt) {
        link.send(frame.message, body)
        sent++
      } else this.#announce(link, id)
    }
    return sent
  }

  /** A message of another, along the tree. */
  relay(from: Link, id: Uint8Array, body: Uint8Array): void {
    for (const [link, eager] of this.#neighbours) {
      if (link === from) continue
      if (eager && link.buffered < slowAt) link.send(frame.message, body)
      else this.#announce(link, id)
    }
  }

  /** A message came that was here already: one way too many leads here. */
  repeated(from: Link): void {
    if (this.#neighbours.get(from) !== true) return
    this.#neighbours.set(from, false)
    from.send(frame.prune, this.key)
  }

  pruned(by: Link): void {
    if (this.#neighbours.has(by)) this.#neighbours.set(by, false)
  }

  /** Somebody misses messages that came this way before: the tree has a hole there. */
  grafted(by: Link): void {
    if (this.#neighbours.has(by)) this.#neighbours.set(by, true)
  }

  arrived(id: string): void {
    this.#missing.delete(id)
  }

  /** A neighbour has a message that is not here. */
  offered(from: Link, id: string, bytes: Uint8Array): void {
    const missing = this.#missing.get(id)
    if (missing !== undefined) {
      if (missing.sources.length < 8 && !missing.sources.includes(from)) missing.sources.push(from)
      return
    }
    if (this.#missing.size >= maxMissing) return
    this.#missing.set(id, { id: new Uint8Array(bytes), sources: [from], due: performance.now() + grace, attempts: 0 })
    this.#sweepTimer ??= setInterval(() => this.#sweep(), sweepInterval).unref()
  }

  stop(): void {
    clearTimeout(this.#haveTimer)
    clearInterval(this.#sweepTimer)
    this.#haveTimer = undefined
    this.#sweepTimer = undefined
    this.#neighbours.clear()
    this.#have.clear()
    this.#missing.clear()
  }

  #eager(): number {
    let count = 0
    for (const eager of this.#neighbours.values()) if (eager) count++
    return count
  }

  #announce(link: Link, id: Uint8Array): void {
    const ids = this.#have.get(link)
    if (ids === undefined) this.#have.set(link, [id])
    else ids.push(id)
    if (ids !== undefined && ids.length >= maxIdsPerFrame) this.#sendHave(link, ids)
    this.#haveTimer ??= setTimeout(() => {
      this.#haveTimer = undefined
      for (const [waiting, list] of this.#have) this.#sendHave(waiting, list)
    }, haveDelay).unref()
  }

  #sendHave(link: Link, ids: readonly Uint8Array[]): void {
    this.#have.delete(link)
    link.send(frame.have, this.key, concatBytes(...ids))
  }

  #sweep(): void {
    const now = performance.now()
    const wants = new Map<Link, Uint8Array[]>()
    for (const [id, missing] of this.#missing) {
      if (missing.due > now) continue
      const link = missing.sources.find((source) => source.open && this.#neighbours.has(source))
      if (link === undefined || missing.attempts >= maxAttempts) {
        this.#missing.delete(id)
        continue
      }
      missing.attempts++
      missing.due = now + retryAfter
      // The next attempt asks another one.
      missing.sources.push(...missing.sources.splice(missing.sources.indexOf(link), 1))
      const ids = wants.get(link) ?? []
      wants.set(link, ids)
      if (ids.length < maxIdsPerFrame) ids.push(missing.id)
    }
    for (const [link, ids] of wants) {
      this.grafted(link)
      link.send(frame.want, this.key, concatBytes(...ids))
    }
    if (this.#missing.size > 0) return
    clearInterval(this.#sweepTimer)
    this.#sweepTimer = undefined
  }
}

function shuffle(items: unknown[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const held = items[i]
    items[i] = items[j]
    items[j] = held
  }
}
