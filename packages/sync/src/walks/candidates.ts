import type { PeerInfo } from '@p2pl/core'
import type { Standings } from '../budget/standings.ts'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { Beacon } from '../wire/messages.ts'

/** A sender that has reported a root. */
export interface Backer {
  readonly sender: string
  readonly providers: readonly PeerInfo[]
  /** The number of entries that it claims; a wrong one costs it. */
  readonly count: number
}

/** A root that may hold something new. */
export interface Candidate {
  readonly id: string
  readonly root: Bytes
  /** By sender, in the order in which they reported it. */
  readonly backers: Map<string, Backer>
  tries: number
  notBefore: number
}

const maxBackers = 8
/** Roots of one sender that are candidates: its latest, and the one before, which it may be serving still. */
const rootsPerSender = 2
/** Backers that one walk names as providers. */
const providersPerWalk = 4

/**
 * Roots that were reported and not yet compared. Each sender has a place for its last two. When there are too many, one that no
 * known sender reports goes, at random: so a flood of roots cannot choose what is forgotten.
 */
export class Candidates {
  readonly #standings: Standings
  readonly #random: () => number
  readonly #all: Map<string, Candidate> = new Map()
  readonly #bySender: BoundedMap<string, string[]> = new BoundedMap(limits.reports)

  constructor(standings: Standings, random: () => number) {
    this.#standings = standings
    this.#random = random
  }

  get size(): number {
    return this.#all.size
  }

  get(id: string): Candidate | undefined {
    return this.#all.get(id)
  }

  delete(id: string): void {
    this.#all.delete(id)
  }

  offer(sender: string, { root, count, providers }: Beacon): void {
    const id = mapKey(root)
    let candidate = this.#all.get(id)
    if (candidate === undefined) {
      candidate = { id, root: root.slice(), backers: new Map(), tries: 0, notBefore: 0 }
      this.#all.set(id, candidate)
    }
    if (!this.#admit(candidate, sender)) return
    candidate.backers.set(sender, { sender, providers, count })
    this.#remember(sender, id)
    if (this.#all.size > limits.roots) this.#forgetOne(candidate)
  }

  /** A full list of backers takes a known sender in the place of a stranger. */
  #admit({ backers }: Candidate, sender: string): boolean {
    if (backers.has(sender) || backers.size < maxBackers) return true
    if (!this.#standings.isKnown(sender)) return false
    const stranger = [...backers.keys()].findLast((one) => !this.#standings.isKnown(one))
    return stranger !== undefined && backers.delete(stranger)
  }

  #remember(sender: string, id: string): void {
    const before = (this.#bySender.get(sender) ?? []).filter((one) => one !== id)
    const roots = [...before, id].slice(-rootsPerSender)
    this.#bySender.set(sender, roots)
    for (const gone of before) if (!roots.includes(gone)) this.withdraw(gone, sender)
  }

  /** This sender reports the root no more, or lied about it. */
  withdraw(id: string, sender: string): void {
    const candidate = this.#all.get(id)
    candidate?.backers.delete(sender)
    if (candidate?.backers.size === 0) this.#all.delete(id)
  }

  #forgetOne(newest: Candidate): void {
    const strangers = [...this.#all.values()].filter((candidate) => !this.isKnown(candidate))
    const gone = strangers[Math.floor(this.#random() * strangers.length)] ?? newest
    this.#all.delete(gone.id)
  }

  /** Whether a known sender reports it. */
  isKnown({ backers }: Candidate): boolean {
    for (const sender of backers.keys()) if (this.#standings.isKnown(sender)) return true
    return false
  }

  /**
   * One of those that may be tried now, at random: the less its senders have wasted, and the fewer tries were in vain, the more likely.
   * Claimed counts play no part.
   */
  choose(known: boolean, now: number, eligible: (candidate: Candidate) => boolean): Candidate | undefined {
    let total = 0
    const weights: [Candidate, number][] = []
    for (const candidate of this.#all.values()) {
      if (candidate.notBefore > now || this.isKnown(candidate) !== known || !eligible(candidate)) continue
      let weight = 0
      for (const sender of candidate.backers.keys()) weight += this.#standings.weight(sender)
      weight /= 2 ** candidate.tries
      total += weight
      weights.push([candidate, weight])
    }
    let left = this.#random() * total
    for (const [candidate, weight] of weights) {
      left -= weight
      if (left <= 0) return candidate
    }
    return weights.at(-1)?.[0]
  }

  /** Whom a walk asks, and who is judged by it: known senders first, then whoever came first, then others at random. */
  backersOf({ backers }: Candidate): Backer[] {
    const all = [...backers.values()]
    const known = all.filter(({ sender }) => this.#standings.isKnown(sender))
    const [first, ...others] = all.filter(({ sender }) => !this.#standings.isKnown(sender))
    const shuffled = others.map((backer) => ({ backer, order: this.#random() })).sort((a, b) => a.order - b.order)
    const strangers = [...(first === undefined ? [] : [first]), ...shuffled.map(({ backer }) => backer)]
    return (known.length > 0 ? known : strangers).slice(0, providersPerWalk)
  }

  /** When the next of those that wait may be tried. */
  soonest(): number {
    let soonest = Infinity
    for (const { notBefore } of this.#all.values()) soonest = Math.min(soonest, notBefore)
    return soonest
  }
}
