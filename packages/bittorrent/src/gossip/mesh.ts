import { concatBytes } from '../bytes.ts'
import { encodeAddresses, frame } from '../engine/frames.ts'
import type { Link } from '../engine/link.ts'
import type { Key } from '../keys.ts'

/** Who has so much unread gets no message unasked, only word of it. */
const slowAt = 4 * 1024 * 1024
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

/** Publishers about whom a link is remembered to differ from its rule; then all is learnt anew. */
const maxExceptions = 1_024

/** How messages go to a neighbour: at once (eager) or as an id (lazy), by rule and by publisher. */
class Neighbour {
  readonly #eager: boolean
  readonly #exceptions = new Set<string>()

  constructor(eager: boolean) {
    this.#eager = eager
  }

  get eager(): boolean {
    return this.#eager
  }

  isEager(origin: string): boolean {
    return this.#eager !== this.#exceptions.has(origin)
  }

  set(origin: string, eager: boolean): void {
    if (eager === this.#eager) this.#exceptions.delete(origin)
    else {
      if (this.#exceptions.size >= maxExceptions) this.#exceptions.clear()
      this.#exceptions.add(origin)
    }
  }
}

/**
 * Who gets the messages of one topic, and how: at once over links that make up a tree, one for each publisher, and as a mere
 * id over the others. A link that brings what is already there leaves the publisher's tree; one that knows of something
 * missing joins it (Plumtree, with a tree for each source: one for all of them never comes to rest).
 */
export class Mesh {
  readonly key: Key
  readonly #neighbours = new Map<Link, Neighbour>()
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
    let eager = 0
    for (const neighbour of this.#neighbours.values()) if (neighbour.eager) eager++
    this.#neighbours.set(link, new Neighbour(eager < this.#degree))
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

  /** An own message. To how many it was handed: at least to one, where there is one. */
  publish(origin: string, id: Uint8Array, body: Uint8Array): number {
    const sent = this.#spread(undefined, origin, id, body)
    if (sent > 0) return sent
    for (const [link, neighbour] of this.#neighbours) {
      if (!link.open) continue
      neighbour.set(origin, true)
      link.send(frame.message, body)
      return 1
    }
    return 0
  }

  /** A message of another, along the tree of its publisher. */
  relay(from: Link, origin: string, id: Uint8Array, body: Uint8Array): void {
    this.#spread(from, origin, id, body)
  }

  /** A message came that was here already: one way too many leads here. */
  repeated(from: Link, origin: string, originBytes: Uint8Array): void {
    const neighbour = this.#neighbours.get(from)
    if (neighbour === undefined) return
    // It has the message: nor does it need the next one from here.
    neighbour.set(origin, false)
    from.send(frame.prune, this.key, originBytes)
  }

  pruned(by: Link, origin: string): void {
    this.#neighbours.get(by)?.set(origin, false)
  }

  /** Somebody missed a message that came this way before: the tree has a hole there. */
  grafted(by: Link, origin: string): void {
    this.#neighbours.get(by)?.set(origin, true)
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

  #spread(from: Link | undefined, origin: string, id: Uint8Array, body: Uint8Array): number {
    let sent = 0
    for (const [link, neighbour] of this.#neighbours) {
      if (link === from) continue
      if (neighbour.isEager(origin) && link.open && link.buffered < slowAt) {
        link.send(frame.message, body)
        sent++
      } else this.#announce(link, id)
    }
    return sent
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
    for (const [link, ids] of wants) link.send(frame.want, this.key, concatBytes(...ids))
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
