import { concatBytes } from '@p2pl/core/backend'
import type { Key } from '../keys.ts'
import { frame } from '../links/frames.ts'
import type { Link } from '../links/link.ts'
import { encodeAddresses } from './addresses.ts'
import { Branch } from './branch.ts'
import { maxIdsPerFrame, Missing } from './missing.ts'

/** A peer with this many unread bytes gets only the ids of messages, unless it asks. */
const slowAt = 4 * 1024 * 1024
const haveDelay = 50
export const maxIntroductions = 16

/**
 * How the messages of one topic go to the other peers in it: in full over links that form a tree, one tree per
 * publisher, and as a mere id over the other links. A link that brings a message twice leaves the publisher's tree; a
 * link that knows of a missing message joins it (Plumtree with one tree per source, because a single shared tree never
 * settles).
 */
export class Mesh {
  readonly key: Key
  readonly missing: Missing
  readonly #branches = new Map<Link, Branch>()
  readonly #peers = new Map<string, Link>()
  readonly #degree: number
  readonly #have = new Map<Link, Uint8Array[]>()
  #haveTimer: NodeJS.Timeout | undefined

  constructor(key: Key, degree: number) {
    this.key = key
    this.#degree = degree
    this.missing = new Missing(key, (peer) => {
      const link = this.#peers.get(peer)
      return link?.open === true ? link : undefined
    })
  }

  get links(): Link[] {
    return [...this.#branches.keys()].filter(({ open }) => open)
  }

  get size(): number {
    return this.#branches.size
  }

  has(link: Link): boolean {
    return this.#branches.has(link)
  }

  /** Returns whether the link is new. */
  add(link: Link): boolean {
    if (this.#branches.has(link)) return false
    let eager = 0
    for (const branch of this.#branches.values()) if (branch.eager) eager++
    this.#branches.set(link, new Branch(eager < this.#degree))
    this.#peers.set(link.id, link)
    return true
  }

  remove(link: Link): void {
    this.#branches.delete(link)
    if (this.#peers.get(link.id) === link) this.#peers.delete(link.id)
    this.#have.delete(link)
  }

  /** Tells a new peer about others, so that no peer depends on one link or on the DHT. */
  introduce(newcomer: Link): void {
    const others = this.links.filter((link) => link !== newcomer && link.address !== undefined)
    shuffle(others)
    const addresses = others.slice(0, maxIntroductions).map(String)
    if (addresses.length > 0) newcomer.send(frame.introduce, this.key, encodeAddresses(addresses))
  }

  /** Sends an own message. Returns the number of peers that it was handed to: at least one if there is any. */
  publish(origin: string, id: Uint8Array, body: Uint8Array): number {
    const sent = this.#spread(undefined, origin, id, body)
    if (sent > 0) return sent
    for (const [link, branch] of this.#branches) {
      if (!link.open) continue
      branch.set(origin, true)
      link.send(frame.message, body)
      return 1
    }
    return 0
  }

  /** Forwards a message of another peer along the tree of its publisher. */
  relay(from: Link, origin: string, id: Uint8Array, body: Uint8Array): void {
    this.#spread(from, origin, id, body)
  }

  /** Tells the peer soon that the message is here. */
  tell(link: Link, id: Uint8Array): void {
    const ids = this.#have.get(link)
    if (ids === undefined) this.#have.set(link, [id])
    else ids.push(id)
    if (ids !== undefined && ids.length >= maxIdsPerFrame) this.#sendHave(link, ids)
    this.#haveTimer ??= setTimeout(() => {
      this.#haveTimer = undefined
      for (const [waiting, list] of this.#have) this.#sendHave(waiting, list)
    }, haveDelay).unref()
  }

  /** A message came that was already here, so more than one path of the tree leads here. */
  repeated(from: Link, origin: Uint8Array, originText: string): void {
    const branch = this.#branches.get(from)
    if (branch === undefined) return
    // The peer has the message, so it does not need the next one from here either.
    branch.set(originText, false)
    from.send(frame.prune, this.key, origin)
  }

  pruned(by: Link, origin: string): void {
    this.#branches.get(by)?.set(origin, false)
  }

  /** A peer missed a message that this peer received: the tree has a gap there. */
  grafted(by: Link, origin: string): void {
    this.#branches.get(by)?.set(origin, true)
  }

  stop(): void {
    clearTimeout(this.#haveTimer)
    this.#haveTimer = undefined
    this.missing.stop()
    this.#branches.clear()
    this.#peers.clear()
    this.#have.clear()
  }

  #spread(from: Link | undefined, origin: string, id: Uint8Array, body: Uint8Array): number {
    let sent = 0
    for (const [link, branch] of this.#branches) {
      if (link === from) continue
      if (branch.isEager(origin) && link.open && link.buffered < slowAt) {
        link.send(frame.message, body)
        sent++
      } else this.tell(link, id)
    }
    return sent
  }

  #sendHave(link: Link, ids: readonly Uint8Array[]): void {
    this.#have.delete(link)
    link.send(frame.have, this.key, concatBytes(...ids))
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
