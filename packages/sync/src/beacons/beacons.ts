import { equalBytes } from '../bytes.ts'
import { late } from '../repair/spread.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { Root } from '../tree/levels.ts'
import type { Beacon } from '../wire/messages.ts'

/**
 * A peer is heard at least once in so many periods, whatever others say in its place: more often in a small group. Others may have
 * invented the large group, so there is no longer silence than the second.
 */
const audiblePeriods = { small: 3, large: 16 } as const
const smallGroup = 16
/** Periods between two beacons at least: for one change, or one peer, after another; and while changes go on, because each is announced. */
const distance = { least: 0.1, busy: 0.5 } as const
/** So many periods after the first beacon a view looks whether it has questions. */
const openingPause = 0.25

export interface BeaconsOptions {
  readonly timers: Timers
  readonly period: number
  readonly random: () => number
  /** Peers that were heard. */
  readonly peers: () => number
  /** When this view has a question to others: the periods until it is asked again. */
  readonly questionPause: () => number | undefined
  readonly send: () => Promise<void>
}

/**
 * When to tell others what this view is: once per period, unless a peer with an equal view just did; sooner after a change, after a
 * loss, for a peer that is behind, and for one that asks. Each reason counts as served by an equal beacon that is heard after it.
 */
export class Beacons {
  readonly #options: BeaconsOptions
  readonly #timers: Timers
  readonly #period: number
  #cancel: () => void = () => {}
  #due = Infinity
  /** Reasons before this moment are served by an equal beacon heard later; forced ones by nothing but our own. */
  #reasonAt = -Infinity
  #forced = false
  #sending = false
  #missed = false
  #opening = true
  #sentAt = -Infinity
  #sentBefore = -Infinity
  #echoedAt = -Infinity
  #stopped = false

  constructor(options: BeaconsOptions) {
    this.#options = options
    this.#timers = options.timers
    this.#period = options.period
  }

  /** The first one goes out at once: a peer that has more answers it. */
  start(): void {
    this.soon(0)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** The view is another now: what was heard before says nothing about it. */
  changed(share: number): void {
    this.#echoedAt = -Infinity
    this.soon(share, false, this.#distance)
  }

  get #distance(): number {
    return this.#busy ? distance.busy : distance.least
  }

  /** The last two beacons were close to each other. */
  get #busy(): boolean {
    return this.#sentAt - this.#sentBefore < 0.7 * this.#period
  }

  /** Messages were lost: others hear what we have, and those who have more answer. At most once per period, for losses come in crowds. */
  lost(): void {
    if (this.#timers.now() - this.#sentAt >= this.#period) this.soon(0.3)
  }

  /**
   * Somebody is behind, or asks (`forced`: also if another peer answers). The more there are who could answer, the more time they get
   * to hear each other first; two or three peers do not wait for anybody. While changes go on, every beacon is out of date when it is
   * heard, and the next one of this view is near: nobody is answered sooner who did not ask.
   */
  answer(forced = false): void {
    const share = 0.1 * Math.min(1, Math.max(0, this.#options.peers() - 1) / smallGroup)
    this.soon(share, forced, forced ? distance.least : this.#distance)
  }

  /** Sends within `share` of a period, ± half of it; `forced`: even if an equal beacon is heard before. */
  soon(share: number, forced = false, apart: number = distance.least): void {
    if (this.#stopped) return
    const now = this.#timers.now()
    // Bursts of reasons make one beacon.
    const earliest = this.#sentAt + this.#period * apart
    const at = Math.max(now + share * this.#period * (0.5 + this.#late()), earliest)
    this.#forced ||= forced
    this.#reasonAt = now
    if (at < this.#due) this.#schedule(at)
  }

  #late(): number {
    return late(this.#options.random(), this.#options.peers())
  }

  #schedule(at: number): void {
    this.#cancel()
    this.#due = at
    this.#cancel = this.#timers.after(Math.max(0, at - this.#timers.now()), () => {
      void this.#fire()
    })
  }

  async #fire(): Promise<void> {
    this.#due = Infinity
    if (this.#stopped) return
    if (this.#sending) {
      this.#missed = true
      return
    }
    if (this.#forced || this.#options.questionPause() !== undefined || !this.#suppressed()) {
      this.#forced = false
      this.#sending = true
      try {
        await this.#options.send()
      } finally {
        this.#sending = false
        this.#sentBefore = this.#sentAt
        this.#sentAt = this.#timers.now()
      }
    }
    // A reason that came while the beacon was made may not be in it.
    const soon = this.#missed ? 0.1 : (this.#options.questionPause() ?? (this.#opening ? openingPause : undefined))
    this.#opening = false
    this.#missed = false
    const next = this.#timers.now() + this.#period * (soon ?? 0.75 + this.#late() / 2)
    if (next < this.#due && !this.#stopped) this.#schedule(next)
  }

  #suppressed(): boolean {
    const now = this.#timers.now()
    const periods = audiblePeriods[this.#options.peers() > smallGroup ? 'large' : 'small']
    const audible = now - this.#sentAt <= periods * this.#period
    const echoed = this.#echoedAt >= this.#reasonAt && now - this.#echoedAt < this.#period
    return audible && echoed
  }

  /** Somebody's beacon, with our own root at that moment. */
  heard({ root, count }: Beacon, own: Root): void {
    if (equalBytes(root, own.digest) && count === own.count) this.#echoedAt = this.#timers.now()
  }
}
