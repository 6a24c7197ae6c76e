import type { Timers } from '../toolbox/timers.ts'
import type { Merge } from './merge.ts'

export interface LaneLimits {
  /** The most walks at once. */
  readonly live: number
  /** The most walks begun within one patience. */
  readonly fresh: number
}

/** How many walks that brought something new may be paused. */
const maxPaused = 4

/**
 * The walks of one class of senders. All of them may probe. Among those that bring something new, one leads and the
 * others pause, so that similar indexes are not fetched several times. The lead changes when it stalls, and after a
 * period while others wait.
 */
export class Lane {
  readonly #timers: Timers
  readonly #period: number
  readonly #patience: number
  readonly #limits: LaneLimits
  readonly #live: Set<Merge> = new Set()
  #lead: Merge | undefined
  #leadSince = 0

  constructor(timers: Timers, period: number, patience: number, bounds: LaneLimits) {
    this.#timers = timers
    this.#period = period
    this.#patience = patience
    this.#limits = bounds
  }

  get full(): boolean {
    return this.#live.size >= this.#limits.live
  }

  /**
   * Nothing else begins while the lead brings something new and its time is not over. Otherwise a few walks may begin
   * per patience.
   */
  get hasRoom(): boolean {
    if (this.full) return false
    if (this.#lead !== undefined && !this.#stalls(this.#lead) && !this.#leadIsOver()) return false
    const since = this.#timers.now() - this.#patience
    let fresh = 0
    for (const merge of this.#live) if (!merge.paused && merge.since > since) fresh++
    return fresh < this.#limits.fresh
  }

  [Symbol.iterator](): IterableIterator<Merge> {
    return this.#live.values()
  }

  enter(merge: Merge): void {
    this.#live.add(merge)
  }

  leave(merge: Merge): void {
    this.#live.delete(merge)
    if (this.#lead === merge) this.#lead = undefined
    this.turn()
  }

  /** Gives the lead to a walk that brings something new, or to another one when the time of the lead is over. */
  turn(): void {
    this.#choose()
    let paused = 0
    for (const merge of this.#live) {
      if (merge === this.#lead || merge.stopped) continue
      // The entries that it brought are kept, and its root may be tried again.
      if (merge.gained > 0 && ++paused > maxPaused) merge.stop()
      else if (merge.gained > 0) merge.pause()
      else if (merge.isLate) merge.stop()
    }
  }

  #choose(): void {
    const lead = this.#lead
    if (lead !== undefined && !this.#stalls(lead) && !this.#leadIsOver()) return
    const next = this.#waiting()
    if (next === undefined) return
    if (lead !== undefined) {
      // It goes behind those that already wait.
      this.#live.delete(lead)
      this.#live.add(lead)
    }
    this.#lead = next
    this.#leadSince = this.#timers.now()
    next.resume()
  }

  #waiting(): Merge | undefined {
    for (const merge of this.#live) if (merge.gained > 0 && merge !== this.#lead && !merge.stopped) return merge
    return undefined
  }

  #stalls(merge: Merge): boolean {
    return this.#timers.now() - merge.progressAt > this.#patience
  }

  #leadIsOver(): boolean {
    return this.#timers.now() - this.#leadSince > this.#period
  }

  /**
   * Makes room for another walk: stops the one that has brought nothing for the longest time, once its patience is
   * over.
   */
  endSlowest(): void {
    let slowest: Merge | undefined
    for (const merge of this.#live) {
      if (merge.stopped || merge.paused || merge === this.#lead) continue
      if (slowest === undefined || merge.progressAt < slowest.progressAt) slowest = merge
    }
    if (slowest === undefined) return
    const patience = this.#patience * 2 ** slowest.ticket.tries
    if (this.#timers.now() - slowest.progressAt > patience) slowest.stop()
  }
}
