import { equalBytes } from '../bytes.ts'
import { late } from '../repair/spread.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { Root } from '../tree/levels.ts'
import type { Beacon } from '../wire/messages.ts'

/**
 * A peer sends at least one beacon in this many periods, even if others send equal ones; in a small group more often.
 * Strangers may have invented the large group, so the second number bounds every silence.
 */
const audiblePeriods = { small: 3, large: 16 } as const
const smallGroup = 16
/**
 * The least distance between two beacons in periods: `least` between two changes or two peers to answer, `busy` while
 * changes continue, because each change is announced anyway.
 */
const distance = { least: 0.1, busy: 0.5 } as const
/** This many periods after the first beacon, the view checks whether it has questions. */
const openingPause = 0.25

export interface BeaconsOptions {
  readonly timers: Timers
  readonly period: number
  readonly random: () => number
  /** The number of peers that were heard. */
  readonly peers: () => number
  /** Periods until this view's next question; `undefined` when it has none. */
  readonly questionPause: () => number | undefined
  readonly send: () => Promise<void>
}

/**
 * Decides when to send a beacon: once per period, unless a peer with an equal view just sent one. A beacon goes out
 * sooner after a change, after a loss, for a peer that is behind, and for a peer that asks. An equal beacon that is
 * heard after such a reason settles the reason.
 */
export class Beacons {
  readonly #options: BeaconsOptions
  readonly #timers: Timers
  readonly #period: number
  #cancel: () => void = () => {}
  #due = Infinity
  /**
   * When the latest reason came. An equal beacon heard later settles it; a forced reason is settled only by our own
   * beacon.
   */
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

  /** Sends the first beacon at once. A peer that has more entries answers it. */
  start(): void {
    this.soon(0)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** The view changed: beacons heard before do not speak for it. */
  changed(share: number): void {
    this.#echoedAt = -Infinity
    this.soon(share, false, this.#distance)
  }

  get #distance(): number {
    return this.#busy ? distance.busy : distance.least
  }

  /** Whether the last two beacons were close together. */
  get #busy(): boolean {
    return this.#sentAt - this.#sentBefore < 0.7 * this.#period
  }

  /**
   * Messages were lost. A beacon tells others what this view has, and peers that have more answer. At most once per
   * period, because losses come in bursts.
   */
  lost(): void {
    if (this.#timers.now() - this.#sentAt >= this.#period) this.soon(0.3)
  }

  /**
   * A peer is behind, or asks (`forced`: send even if another peer answers). The more peers could answer, the more time
   * they get to hear each other first; with two or three peers, none of them waits. While changes continue, every
   * beacon is out of date when it arrives, and this view's next beacon is near. So only a peer that asked is answered
   * sooner.
   */
  answer(forced = false): void {
    const share = 0.1 * Math.min(1, Math.max(0, this.#options.peers() - 1) / smallGroup)
    this.soon(share, forced, forced ? distance.least : this.#distance)
  }

  /** Sends within `share` of a period, ± half of it. `forced`: even if an equal beacon is heard before. */
  soon(share: number, forced = false, apart: number = distance.least): void {
    if (this.#stopped) return
    const now = this.#timers.now()
    // A burst of reasons leads to one beacon.
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
    // A reason that came while the beacon was being made may be missing in it.
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

  /** A beacon of another peer was heard. `own` is this view's root at that moment. */
  heard({ root, count }: Beacon, own: Root): void {
    if (equalBytes(root, own.digest) && count === own.count) this.#echoedAt = this.#timers.now()
  }
}
