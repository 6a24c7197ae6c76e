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
  /** When an entry of others was last announced, and how many entries are here. */
  readonly announcedAt: () => number
  readonly count: () => number
  /** Called when an index contradicts itself. */
  readonly onLie: () => void
  /** Called when everything below this root is here. */
  readonly onMerged: (root: Bytes) => void
  /** Called when a walk has ended, however it ended. */
  readonly onEnd: () => void
}

/** For how many beacon periods a view that catches up may hold back what it has so far. */
const catchUpPeriods = 4
/** For how many periods a root with refused entries is not tried again. */
const refusedPeriods = 16
/** For how many periods a root waits for its sender to report another one while entries stream in. */
const streamPeriods = 8
/** The most doubts that count. The most patient walk checks a million wrong signatures. */
const mostDoubts = 7
/**
 * What counts as wasted in addition to the fetched bytes: `lieCost` for an index that contradicts itself, `failureCost`
 * for a failed try.
 */
const lieCost: number = 256 * 1024
const failureCost: number = 8 * 1024

/**
 * Merges the views of others into this one. Several walks run at once, in two lanes: one for roots that known senders
 * report, one for roots of strangers, so neither delays the other. In the lane of strangers many roots are probed, one
 * node at a time, and the walk that brings something new leads. In each lane the lead changes at least once per period
 * while others wait. A root that several senders report is tried with the providers of one sender, then of more and
 * more at once, and also without any. So an echo cannot hide the peers that have the root.
 */
export class Walks {
  readonly #options: WalksOptions
  readonly #tickets: Tickets
  readonly #merged: BoundedMap<string, true> = new BoundedMap(limits.mergedRoots)
  /**
   * Roots that must not be tried, and until when: lies for ever, roots with entries that are refused here for some
   * periods.
   */
  readonly #refused: BoundedMap<string, number> = new BoundedMap(limits.mergedRoots)
  /** The number of failed tries of each root. */
  readonly #failures: BoundedMap<string, number> = new BoundedMap(limits.mergedRoots)
  readonly #live: Set<Merge> = new Set()
  readonly #known: Lane
  readonly #strangers: Lane
  readonly #patience: number
  /**
   * The number of consecutive walks that found wrong signatures and nothing new. A liar may have put many entries
   * before the signatures that prove them, so each such walk makes the next one four times as patient.
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

  /** Whether everything below this root is here. */
  isMerged(root: Bytes): boolean {
    return this.#merged.has(mapKey(root))
  }

  /** Whether there are roots that may hold something new. */
  get hasTickets(): boolean {
    return this.#tickets.size > 0
  }

  /** Whether entries are currently being announced. */
  get streaming(): boolean {
    return this.#now() - this.#options.announcedAt() <= 2 * this.#patience
  }

  /** A root of our own: no peer has news with it. */
  own({ digest }: Root): void {
    this.#close(mapKey(digest))
  }

  /** Everything below this root is here, so it need not be tried again. */
  #close(id: string): void {
    this.#merged.set(id, true)
    for (const ticket of this.#tickets.of(id)) this.#tickets.delete(ticket)
    for (const merge of this.#live) if (merge.ticket.id === id) merge.stop()
  }

  /**
   * Whether many entries are being taken in: this view is far behind and will soon change. This lasts only for some
   * periods, because a walk can be slow.
   */
  get catchingUp(): boolean {
    const since = this.#now() - catchUpPeriods * this.#options.parts.period
    for (const merge of this.#live) if (merge.taken > limits.catchUp && merge.since > since) return true
    return false
  }

  /** The sender reports a root that holds nothing new, so its earlier roots hold nothing new either. */
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

  /**
   * Starts walks while there is room, changes leads and stops walks that take too long. Schedules itself again while
   * there is something to do.
   */
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

  /** A root may have one active walk in the lane, plus one for each of its walks that stalled or failed. */
  #isEligible(ticket: Ticket, lane: Lane): boolean {
    // A stranger whose walk brings something becomes known, but the walk stays in its lane.
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
   * While entries are being announced, every root is soon out of date, and its entries are already on their way. So a
   * root waits a moment. A root with no more entries than are here waits longer: until its sender reports another one,
   * which is usually the root of this view, or until a time limit.
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
    // The engine may know peers that strangers do not name, so every second try lets the engine choose.
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

  /** A root holds the same entries whoever serves it, so all senders that report it are charged. */
  #refuse({ id, root, sender }: Ticket, until: number, cost: number): void {
    this.#refused.set(mapKey(root), until)
    const senders = new Set([sender, ...this.#tickets.of(id).map((ticket) => ticket.sender)])
    for (const one of senders) this.#options.standings.wasted(one, cost)
    for (const ticket of this.#tickets.of(id)) this.#tickets.delete(ticket)
    for (const merge of this.#live) if (merge.ticket.id === id) merge.stop()
  }

  /**
   * Its peers are slow, have moved on, or are gone. It is tried again later, each time with more patience, and finally
   * forgotten.
   */
  #later({ ticket, stopped, gained, doubtful }: Merge, spent: boolean): void {
    ticket.tries = gained > 0 ? 0 : ticket.tries + 1
    this.#failures.set(ticket.id, gained > 0 ? 0 : (this.#failures.get(ticket.id) ?? 0) + 1)
    const inDoubt = spent && doubtful && gained === 0
    if (inDoubt) this.#doubts = Math.min(this.#doubts + 1, mostDoubts)
    this.#options.standings.wasted(ticket.sender, inDoubt ? lieCost : failureCost)
    if (ticket.tries >= limits.walkTries) this.#tickets.delete(ticket)
    // The next try looks at more unproven entries, so there is no need to wait for other peers.
    else if (inDoubt) ticket.notBefore = this.#now() + this.#patience
    else if (spent || !stopped) ticket.notBefore = this.#now() + this.#patience * 2 ** ticket.tries
  }

  /** A sender that claimed a wrong number of entries is charged, and loses its ticket. */
  #judgeClaims(id: string, count: number): void {
    for (const ticket of this.#tickets.of(id)) {
      if (ticket.count === count) continue
      this.#options.standings.wasted(ticket.sender, failureCost)
      this.#tickets.delete(ticket)
    }
  }
}
