import type { Standings } from '../budget/standings.ts'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import { limits } from '../limits.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { Root } from '../tree/levels.ts'
import type { Beacon } from '../wire/messages.ts'
import { Candidates } from './candidates.ts'
import type { Candidate } from './candidates.ts'
import { Lane } from './lane.ts'
import { Merge, Spent, Unusable } from './merge.ts'
import type { MergeParts } from './merge.ts'

export interface WalksOptions {
  readonly parts: MergeParts
  readonly standings: Standings
  readonly signal: AbortSignal
  /** An index contradicts itself. */
  readonly onLie: () => void
  /** All of this root is here. */
  readonly onMerged: (root: Bytes) => void
  /** A walk is over, however it ended. */
  readonly onEnd: () => void
}

/** How long a view that catches up keeps to itself what it has so far, in beacon periods. */
const catchUpPeriods = 4
/** Senders of an index that contradicts itself have wasted this much besides what was fetched, a failed try that much. */
const lieCost: number = 256 * 1024
const failureCost: number = 8 * 1024

/**
 * Merges the views of others into this one. Several walks run at once, in two lanes: one for roots that known senders report, one for
 * those of strangers, so neither keeps the other waiting. In the lane of strangers many roots are probed, one node at a time, and the one that
 * gives something new leads; in each lane the lead changes at least once per period while others wait.
 */
export class Walks {
  readonly #options: WalksOptions
  readonly #candidates: Candidates
  readonly #merged: BoundedMap<string, true> = new BoundedMap(limits.mergedRoots)
  /** Roots that are not to be tried, until when: lies for good, those with entries that are refused here for some periods. */
  readonly #refused: BoundedMap<string, number> = new BoundedMap(limits.mergedRoots)
  readonly #live: Map<string, Merge> = new Map()
  readonly #known: Lane
  readonly #strangers: Lane
  readonly #patience: number
  #cancelTick: (() => void) | undefined

  constructor(options: WalksOptions) {
    this.#options = options
    const { timers, period, random } = options.parts
    this.#candidates = new Candidates(options.standings, random)
    this.#patience = period / 8
    this.#known = new Lane(timers, period, this.#patience, limits.knownWalks)
    this.#strangers = new Lane(timers, period, this.#patience, limits.strangerWalks)
  }

  /** Whether everything under this root is here. */
  isMerged(root: Bytes): boolean {
    return this.#merged.has(mapKey(root))
  }

  /** A root of our own: it is news from nobody. */
  own({ digest }: Root): void {
    const id = mapKey(digest)
    this.#merged.set(id, true)
    this.#candidates.delete(id)
    this.#live.get(id)?.stop()
  }

  /**
   * Whether many entries are being taken in: this view is far behind and will be another one in a moment. For some periods
   * only, because a walk can be slow.
   */
  get catchingUp(): boolean {
    const since = this.#now() - catchUpPeriods * this.#options.parts.period
    for (const merge of this.#live.values()) if (merge.taken > limits.catchUp && merge.since > since) return true
    return false
  }

  offer(sender: string, beacon: Beacon): void {
    const id = mapKey(beacon.root)
    if (this.#merged.has(id) || (this.#refused.get(id) ?? -Infinity) > this.#now()) return
    this.#candidates.offer(sender, beacon)
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
        const candidate = this.#next(known)
        if (candidate === undefined) break
        this.#start(candidate, known, lane)
      }
      if (lane.full && this.#next(known) !== undefined) lane.endSlowest()
    }
    this.#cancelTick?.()
    this.#cancelTick = undefined
    if (this.#candidates.size === 0) return
    const pause = this.#live.size > 0 ? this.#patience / 2 : this.#candidates.soonest() - this.#now()
    this.#cancelTick = this.#options.parts.timers.after(Math.max(1, pause), () => {
      this.#cancelTick = undefined
      this.#fill()
    })
  }

  #next(known: boolean): Candidate | undefined {
    return this.#candidates.choose(known, this.#now(), ({ id }) => !this.#live.has(id))
  }

  #start(candidate: Candidate, known: boolean, lane: Lane): void {
    const { parts, signal } = this.#options
    const merge = new Merge(candidate, this.#candidates.backersOf(candidate), known, parts, signal)
    this.#live.set(candidate.id, merge)
    lane.enter(merge)
    void this.#run(merge).finally(() => {
      this.#live.delete(candidate.id)
      lane.leave(merge)
      this.#options.onEnd()
      this.#fill()
    })
  }

  async #run(merge: Merge): Promise<void> {
    const { candidate } = merge
    const { parts, signal, onMerged } = this.#options
    try {
      if (await merge.run()) {
        this.#candidates.delete(candidate.id)
        this.#merged.set(candidate.id, true)
        onMerged(candidate.root)
      } else this.#refuse(candidate, 16 * parts.period)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Malformed) this.#lie(merge)
      else if (error instanceof Unusable) this.#refuse(candidate, 16 * parts.period)
      else this.#later(merge, error instanceof Spent)
    } finally {
      this.#judge(merge)
    }
  }

  #refuse({ id }: Candidate, ms: number): void {
    this.#candidates.delete(id)
    this.#refused.set(id, this.#now() + ms)
  }

  #lie({ candidate, backers }: Merge): void {
    this.#refuse(candidate, Infinity)
    for (const { sender } of backers) this.#options.standings.wasted(sender, lieCost)
    this.#options.onLie()
  }

  /** Its peers are slow, have moved on, or are gone: it is tried again later, each time with more patience, and then forgotten. */
  #later({ candidate, backers, stopped, gained }: Merge, spent: boolean): void {
    if (this.#merged.has(candidate.id)) return
    candidate.tries = gained > 0 ? 0 : candidate.tries + 1
    for (const { sender } of backers) this.#options.standings.wasted(sender, failureCost)
    if (candidate.tries >= limits.walkTries) this.#candidates.delete(candidate.id)
    else if (spent || !stopped) candidate.notBefore = this.#now() + this.#patience * 2 ** candidate.tries
  }

  /** What the walk has given and cost goes to the account of those who reported its root. */
  #judge({ candidate, backers, gained, barren, liars }: Merge): void {
    const { standings } = this.#options
    for (const [i, { sender }] of backers.entries()) {
      // The intake has credited the first of them.
      if (i > 0 && gained > 0) standings.gave(sender, gained)
      if (barren > 0 && gained === 0) standings.wasted(sender, barren)
    }
    for (const sender of liars) {
      standings.wasted(sender, failureCost)
      this.#candidates.withdraw(candidate.id, sender)
    }
  }
}
