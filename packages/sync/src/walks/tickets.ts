import type { PeerInfo } from '@p2pl/core'
import type { Standings } from '../standings.ts'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import type { Beacon } from '../wire/messages.ts'

/** A root that a sender has reported: one chance for a walk. */
export interface Ticket {
  readonly sender: string
  readonly root: Bytes
  /** The root as a map key. */
  readonly id: string
  /** The number of entries that the sender claims. A wrong claim counts against it. */
  readonly count: number
  readonly providers: readonly PeerInfo[]
  /** When it was first reported, and when last. */
  readonly at: number
  heardAt: number
  tries: number
  notBefore: number
}

/**
 * The latest root of each sender, until it is compared or given up. When there are too many, the ticket of a random
 * stranger is dropped, so a flood of roots cannot choose what is forgotten.
 */
export class Tickets {
  readonly #standings: Standings
  readonly #random: () => number
  readonly #tickets: Map<string, Ticket> = new Map()

  constructor(standings: Standings, random: () => number) {
    this.#standings = standings
    this.#random = random
  }

  get size(): number {
    return this.#tickets.size
  }

  offer(sender: string, { root, count, providers }: Beacon, at: number): void {
    const id = mapKey(root)
    const before = this.#tickets.get(sender)
    if (before !== undefined && before.id === id && before.count === count) {
      before.heardAt = at
      return
    }
    const fresh = { sender, root: root.slice(), id, count, providers, at, heardAt: at, tries: 0, notBefore: 0 }
    this.#tickets.set(sender, fresh)
    if (this.#tickets.size > limits.tickets) this.#forgetOne()
  }

  #forgetOne(): void {
    const strangers = [...this.#tickets.keys()].filter((sender) => !this.#standings.isKnown(sender))
    const all = strangers.length > 0 ? strangers : [...this.#tickets.keys()]
    this.#tickets.delete(all[Math.floor(this.#random() * all.length)] as string)
  }

  /** The sender has since reported another root, which holds nothing new. */
  supersede(sender: string): void {
    this.#tickets.delete(sender)
  }

  delete({ sender, id }: Ticket): void {
    if (this.#tickets.get(sender)?.id === id) this.#tickets.delete(sender)
  }

  /** The tickets of a root. */
  of(id: string): Ticket[] {
    return [...this.#tickets.values()].filter((ticket) => ticket.id === id)
  }

  /**
   * Draws a ticket that may be tried now, at random. The less its sender has wasted and the fewer tries failed, the
   * more likely it is. Claimed counts play no part.
   */
  draw(known: boolean, now: number, isEligible: (ticket: Ticket) => boolean): Ticket | undefined {
    let total = 0
    const weights: [Ticket, number][] = []
    for (const ticket of this.#tickets.values()) {
      const { sender, notBefore, tries } = ticket
      if (notBefore > now || this.#standings.isKnown(sender) !== known || !isEligible(ticket)) continue
      const weight = this.#standings.weight(sender) / 2 ** tries
      total += weight
      weights.push([ticket, weight])
    }
    let left = this.#random() * total
    for (const [ticket, weight] of weights) {
      left -= weight
      if (left <= 0) return ticket
    }
    return weights.at(-1)?.[0]
  }

  /** When the next waiting ticket may be tried. No ticket is tried before it is ripe. */
  soonest(ripeAt: (ticket: Ticket) => number): number {
    let soonest = Infinity
    for (const ticket of this.#tickets.values()) soonest = Math.min(soonest, Math.max(ticket.notBefore, ripeAt(ticket)))
    return soonest
  }
}
