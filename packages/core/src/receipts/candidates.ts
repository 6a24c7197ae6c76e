import type { Clock } from '../clock.ts'
import { backoff } from '../toolbox/backoff.ts'
import type { Refusal } from './wire.ts'

/** Peers that are remembered. Identities are free, so later peers replace earlier ones at random. */
const maxCandidates = 256
/** Maximum number of peers that are asked in addition to the missing replicas. */
const maxExtra = 32
/** How long a peer that could not help is left alone, in milliseconds. */
const pauses = { first: 2_000, longest: 60_000 } as const

interface Candidate {
  state: 'offered' | 'asked' | 'checking' | 'acknowledged' | 'out'
  has: boolean
  failures: number
  /** When it may be asked again. */
  due: number
}

export interface CandidatesOptions {
  /** If given, only these peers count. */
  readonly peers: ReadonlySet<string> | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly isProven: (peer: string) => boolean
}

/** The peers that could help with one goal, and how far each has come. */
export class Candidates {
  readonly #options: CandidatesOptions
  readonly #all = new Map<string, Candidate>()
  #heard = 0

  constructor(options: CandidatesOptions) {
    this.#options = options
    for (const peer of options.peers ?? []) this.#all.set(peer, { state: 'offered', has: false, failures: 0, due: 0 })
  }

  /** How many answers have come. */
  get heard(): number {
    return this.#heard
  }

  /** The peers that were asked and have not answered. */
  get asked(): string[] {
    return [...this.#all].filter(([, { state }]) => state === 'asked').map(([peer]) => peer)
  }

  /** Whether only named peers count, and none of them will have it. */
  get hopeless(): boolean {
    if (this.#options.peers === undefined) return false
    return [...this.#all.values()].every(({ state }) => state === 'out' || state === 'acknowledged')
  }

  /** Whether there are fewer candidates than missing replicas. */
  wanting(missing: number): boolean {
    return this.#ready().length < missing
  }

  offered(peer: string, has: boolean): void {
    const known = this.#all.get(peer)
    if (known !== undefined) known.has = has
    if (known !== undefined || this.#options.peers !== undefined) return
    this.#heard++
    if (this.#all.size >= maxCandidates && !this.#makeRoom()) return
    this.#all.set(peer, { state: 'offered', has, failures: 0, due: 0 })
  }

  /**
   * Marks and returns the next peers to ask: one for each missing replica, and as many again for each time that peers were
   * late.
   */
  choose(missing: number, late: number): string[] {
    const { random, isProven, clock } = this.#options
    const most = missing + Math.min(maxExtra, missing * late)
    const count = most - [...this.#all.values()].filter(({ state }) => state === 'asked' || state === 'checking').length
    if (count <= 0) return []
    // A peer's claim about itself is only a hint and never decides alone. Otherwise peers that falsely claim to have the
    // content would all come first.
    const rank = (peer: string): number =>
      random() + (this.#all.get(peer)?.has === true ? 0.5 : 0) + (isProven(peer) ? 1 : 0)
    const ranked = this.#ready().map((peer) => ({ peer, rank: rank(peer) }))
    ranked.sort((a, b) => b.rank - a.rank)
    const chosen = ranked.slice(0, count).map(({ peer }) => peer)
    for (const peer of chosen) {
      const candidate = this.#all.get(peer)
      if (candidate !== undefined) Object.assign(candidate, { state: 'asked', due: clock.now() })
    }
    return chosen
  }

  /** An acknowledgement has come. Returns whether to check it: only one per peer is checked at a time. */
  checking(peer: string): boolean {
    const candidate = this.#all.get(peer)
    if (candidate?.state !== 'asked') return false
    candidate.state = 'checking'
    this.#heard++
    return true
  }

  unchecked(peer: string): void {
    this.#become(peer, 'checking', 'asked')
  }

  acknowledged(peer: string): void {
    this.#become(peer, 'checking', 'acknowledged')
  }

  lied(peer: string): void {
    this.#become(peer, 'checking', 'out')
  }

  refused(peer: string, reason: Refusal): void {
    const candidate = this.#all.get(peer)
    if (candidate?.state !== 'asked') return
    this.#heard++
    candidate.state = reason === 'missing' ? 'out' : 'offered'
    candidate.due = this.#options.clock.now() + backoff(pauses, ++candidate.failures)
  }

  #become(peer: string, from: Candidate['state'], to: Candidate['state']): void {
    const candidate = this.#all.get(peer)
    if (candidate?.state === from) candidate.state = to
  }

  #ready(): string[] {
    const now = this.#options.clock.now()
    return [...this.#all].filter(([, { state, due }]) => state === 'offered' && due <= now).map(([peer]) => peer)
  }

  /** Removes a random peer that is not being asked, so that a flood of offers leaves a share to the others. */
  #makeRoom(): boolean {
    const { random, isProven } = this.#options
    if (random() >= maxCandidates / this.#heard) return false
    const idle = [...this.#all].filter(
      ([peer, { state }]) => (state === 'offered' || state === 'out') && !isProven(peer)
    )
    const victim = idle[Math.floor(random() * idle.length)]
    return victim !== undefined && this.#all.delete(victim[0])
  }
}
