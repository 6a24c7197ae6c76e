import { BoundedMap } from '@p2pl/core/backend'
import type { Standings } from '../standings.ts'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import { limits } from '../limits.ts'
import type { Root } from '../tree/levels.ts'
import type { Beacon } from '../wire/messages.ts'
import { Lane } from './lane.ts'
import { Merge, Spent, Unusable } from './merge.ts'
import type { MergeParts } from './merge.ts'
import { Tickets } from './tickets.ts'
import type { Ticket } from './tickets.ts'

export interface WalksOptions {
  readonly parts: MergeParts
  readonly standings: Standings
  readonly signal: AbortSignal
  /** When an entry of others last came by itself, and how many entries are here. */
  readonly announcedAt: () => number
  readonly count: () => number
  /** An index contradicts itself. */
  readonly onLie: () => void
  /** All of this root is here. */
  readonly onMerged: (root: Bytes) => void
  /** A walk is over, however it ended. */
  readonly onEnd: () => void
}

/** How long a view that catches up keeps to itself what it has so far, in beacon periods. */
const catchUpPeriods = 4
/** Periods for which a root with refused entries is left alone. */
const refusedPeriods = 16
/** For how long a root waits for its sender to report another one, once more entries have come. */
const streamPeriods = 8
/** Beyond these, a walk is as patient as it gets: it looks at a million wrong signatures. */
const mostDoubts = 7
/** Senders of an index that contradicts itself have wasted this much besides what was fetched, a failed try that much. */
const lieCost: number = 256 * 1024
const failureCost: number = 8 * 1024

/**
 * Merges the views of others into this one. Several walks run at once, in two lanes: one for roots that known senders report, one for
 * those of strangers, so neither keeps the other waiting. In the lane of strangers many are probed, one node at a time, and the one that
 * gives something new leads; in each lane the lead changes at least once per period while others wait. A root that several senders
 * report is tried with the providers of one, then of more and more at once, and without any, so an echo does not hide who has it.
 */
export class Walks {
  readonly #options: WalksOptions
  readonly #tickets: Tickets
  readonly #merged: BoundedMap<string, true> = new BoundedMap(limits.mergedRoots)
  /** Roots that are not to be tried, until when: lies for good, those with entries that are refused here for some periods. */
  readonly #refused: BoundedMap<string, number> = new BoundedMap(limits.mergedRoots)
  /** Tries of a root that were in vain. */
  readonly #failures: BoundedMap<string, number> = new BoundedMap(limits.mergedRoots)
  readonly #live: Set<Merge> = new Set()
  readonly #known: Lane
  readonly #strangers: Lane
  readonly #patience: number
  /**
   * Walks in a row that found wrong signatures and nothing new. A liar may have put many entries before the signatures that prove them, so
   * each such walk makes the next one four times as patient.
   */
  #doubts = 0
  #cancelTick: (() => void) | undefined

  constructor(options: WalksOptions) {
    this.#options = options
    const { timers, period, random } = options.parts
    this.#tickets = new Tickets(options.standings, random)
    this.#patience = period / 8
    this.#known = new Lane(timers, period, this.#patience, limits.knownWalks)
    this.#strangers = new Lane(timers, period, this.#patience, limits.strangerWalks)
  }

  /** Whether everything under this root is here. */
  isMerged(root: Bytes): boolean {
    return this.#merged.has(mapKey(root))
  }

  /** Whether there are roots that may hold something new. */
  get hasTickets(): boolean {
    return this.#tickets.size > 0
  }

  /** Whether entries come by themselves. */
  get streaming(): boolean {
    return this.#now() - this.#options.announcedAt() <= 2 * this.#patience
  }

  /** A root of our own: it is news from nobody. */
  own({ digest }: Root): void {
    this.#close(mapKey(digest))
  }

  /** All of this root is here: nobody needs to try it any more. */
  #close(id: string): void {
    this.#merged.set(id, true)
    for (const ticket of this.#tickets.of(id)) this.#tickets.delete(ticket)
    for (const merge of this.#live) if (merge.ticket.id === id) merge.stop()
  }

  /**
   * Whether many entries are being taken in: this view is far behind and will be another one in a moment. For some periods
   * only, because a walk can be slow.
   */
  get catchingUp(): boolean {
    const since = this.#now() - catchUpPeriods * this.#options.parts.period
    for (const merge of this.#live) if (merge.taken > limits.catchUp && merge.since > since) return true
    return false
  }

  /** The sender reports a root that holds nothing new: neither did those that it reported before. */
  agrees(sender: string): void {
    this.#tickets.supersede(sender)
  }

  offer(sender: string, beacon: Beacon): void {
    const id = mapKey(beacon.root)
    if (this.#merged.has(id) || (this.#refused.get(id) ?? -Infinity) > this.#now()) return
    this.#tickets.offer(sender, beacon, this.#now())
    if (this.#known.hasRoom || this.#strangers.hasRoom || this.#cancelTick === undefined) this.#fill()
  }

  #now(): number {
    return this.#options.parts.timers.now()
  }

  /** Starts what there is room for, changes leads, ends what takes too long; and looks again later while there is something to do. */
  #fill(): void {
    if (this.#options.signal.aborted) return
    for (const [lane, known] of [
      [this.#known, true],
      [this.#strangers, false]
    ] as const) {
      lane.turn()
      while (lane.hasRoom) {
        const ticket = this.#draw(known, lane)
        if (ticket === undefined) break
        this.#start(ticket, known, lane)
      }
      if (lane.full && this.#draw(known, lane) !== undefined) lane.endSlowest()
    }
    this.#cancelTick?.()
    this.#cancelTick = undefined
    if (this.#tickets.size === 0) return
    const soonest = (): number => this.#tickets.soonest((ticket) => this.#ripeAt(ticket))
    const pause = this.#live.size > 0 ? this.#patience / 2 : soonest() - this.#now()
    this.#cancelTick = this.#options.parts.timers.after(Math.max(1, pause), () => {
      this.#cancelTick = undefined
      this.#fill()
    })
  }

  #draw(known: boolean, lane: Lane): Ticket | undefined {
    return this.#tickets.draw(known, this.#now(), (ticket) => this.#isEligible(ticket, lane))
  }

  /** A root is tried once more while all walks of the lane through it stall, then by as many more as were in vain. */
  #isEligible(ticket: Ticket, lane: Lane): boolean {
    // A stranger whose walk gives something becomes known: the walk goes on in the lane in which it was begun.
    for (const merge of this.#live) if (merge.ticket === ticket && !merge.paused && !this.#stalls(merge)) return false
    let fresh = 0
    let stalled = this.#failures.get(ticket.id) ?? 0
    for (const merge of lane) {
      if (merge.ticket === ticket) return false
      if (merge.ticket.id !== ticket.id) continue
      if (merge.paused || !this.#stalls(merge)) fresh++
      else stalled++
    }
    return fresh < 1 + stalled && this.#ripeAt(ticket) <= this.#now()
  }

  #stalls({ progressAt }: Merge): boolean {
    return this.#now() - progressAt >= this.#patience
  }

  /**
   * While entries stream in by themselves, every root is soon out of date, and its entries are on their way. Then a root waits a moment.
   * One with no more entries than there are here waits on until its sender reports another one, which most often is the root of this
   * view; but not for ever.
   */
  #ripeAt({ at, heardAt, count }: Ticket): number {
    const { announcedAt, parts } = this.#options
    const announced = announcedAt()
    const soon = Math.min(at + this.#patience, announced + 2 * this.#patience)
    const outdated = heardAt < announced + this.#patience && count <= this.#options.count()
    return outdated ? Math.max(soon, at + streamPeriods * parts.period) : soon
  }

  #start(ticket: Ticket, known: boolean, lane: Lane): void {
    const { parts, signal } = this.#options
    // The engine may know peers that strangers do not name: every second try leaves it the choice.
    const tries = known ? ticket.tries : (this.#failures.get(ticket.id) ?? 0)
    const hinted = tries % 2 === 0
    const merge = new Merge(ticket, { known, hinted, patience: 4 ** this.#doubts }, parts, signal)
    this.#live.add(merge)
    lane.enter(merge)
    void this.#run(merge).finally(() => {
      this.#live.delete(merge)
      lane.leave(merge)
      this.#options.onEnd()
      this.#fill()
    })
  }

  async #run(merge: Merge): Promise<void> {
    const { ticket } = merge
    const { parts, signal, onMerged, onLie, standings } = this.#options
    try {
      if (await merge.run()) {
        this.#close(ticket.id)
        onMerged(ticket.root)
      } else this.#refuse(ticket, this.#now() + refusedPeriods * parts.period, failureCost)
    } catch (error) {
      if (signal.aborted || this.#merged.has(ticket.id)) return
      if (error instanceof Malformed) {
        this.#refuse(ticket, Infinity, lieCost)
        onLie()
      } else if (error instanceof Unusable) {
        this.#refuse(ticket, this.#now() + refusedPeriods * parts.period, failureCost)
      } else this.#later(merge, error instanceof Spent)
    } finally {
      if (merge.gained > 0) this.#doubts = 0
      if (merge.gained === 0 && merge.barren > 0) standings.wasted(ticket.sender, merge.barren)
      if (merge.count !== undefined) this.#judgeClaims(ticket.id, merge.count)
    }
  }

  /** What a root holds is the same whoever serves it: all who report it have done so in vain. */
  #refuse({ id, root, sender }: Ticket, until: number, cost: number): void {
    this.#refused.set(mapKey(root), until)
    const senders = new Set([sender, ...this.#tickets.of(id).map((ticket) => ticket.sender)])
    for (const one of senders) this.#options.standings.wasted(one, cost)
    for (const ticket of this.#tickets.of(id)) this.#tickets.delete(ticket)
    for (const merge of this.#live) if (merge.ticket.id === id) merge.stop()
  }

  /** Its peers are slow, have moved on, or are gone: it is tried again later, each time with more patience, and then forgotten. */
  #later({ ticket, stopped, gained, doubtful }: Merge, spent: boolean): void {
    ticket.tries = gained > 0 ? 0 : ticket.tries + 1
    this.#failures.set(ticket.id, gained > 0 ? 0 : (this.#failures.get(ticket.id) ?? 0) + 1)
    const inDoubt = spent && doubtful && gained === 0
    if (inDoubt) this.#doubts = Math.min(this.#doubts + 1, mostDoubts)
    this.#options.standings.wasted(ticket.sender, inDoubt ? lieCost : failureCost)
    if (ticket.tries >= limits.walkTries) this.#tickets.delete(ticket)
    // What was in doubt is looked at with more patience, so there is no need to wait for other peers.
    else if (inDoubt) ticket.notBefore = this.#now() + this.#patience
    else if (spent || !stopped) ticket.notBefore = this.#now() + this.#patience * 2 ** ticket.tries
  }

  /** A wrong number of entries costs the sender that claimed it, and its place. */
  #judgeClaims(id: string, count: number): void {
    for (const ticket of this.#tickets.of(id)) {
      if (ticket.count === count) continue
      this.#options.standings.wasted(ticket.sender, failureCost)
      this.#tickets.delete(ticket)
    }
  }
}
