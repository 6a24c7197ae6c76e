import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import type { Root } from '../index/tree.ts'
import { limits } from '../limits.ts'
import type { Beacon } from '../wire/messages.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Timers } from './timers.ts'

export interface Report {
  readonly root: Bytes
  readonly count: number
  readonly at: number
}

/** How many beacon periods a report counts. */
const reportPeriods = 6
/** A peer of a small group is heard at least once in so many periods, suppressed or not. */
const audiblePeriods = 3
const smallGroup = 16

/**
 * When to tell others what this view is: once per period, unless somebody with an equal view just did; sooner after a change, after a
 * loss, for someone who is behind, and for someone who asks. Each reason counts as served by an equal beacon that is heard after it.
 */
export class Beacons {
  readonly #timers: Timers
  readonly #period: number
  readonly #random: () => number
  readonly #send: (wanted: number) => Promise<void>
  readonly #reports: BoundedMap<Report> = new BoundedMap(limits.reports)
  #cancel: () => void = () => {}
  #due = Infinity
  /** Reasons before this moment are served by an equal beacon heard later; forced ones by nothing but our own. */
  #reasonAt = -Infinity
  #forced = false
  #sending = false
  #missed = false
  #sentAt = -Infinity
  #echoedAt = -Infinity
  /** Equal beacons heard since our own last one. */
  #echoes = 0
  #wanted = 0
  #stopped = false

  constructor(timers: Timers, period: number, random: () => number, send: (wanted: number) => Promise<void>) {
    this.#timers = timers
    this.#period = period
    this.#random = random
    this.#send = send
  }

  /** The first one goes out at once: whoever has more answers it. */
  start(): void {
    this.soon(0)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** How many equal peers somebody here waits for. */
  want(peers: number): void {
    this.#wanted = peers
  }

  /** The view is another now: what was heard before says nothing about it. */
  changed(local: boolean): void {
    this.#echoedAt = -Infinity
    this.#echoes = 0
    this.soon(local ? 0.1 : 0.6)
  }

  /** Messages were lost: others hear what we have, and those who have more answer. At most once per period, for losses come in crowds. */
  lost(): void {
    if (this.#timers.now() - this.#sentAt >= this.#period) this.soon(0.3)
  }

  /**
   * Somebody is behind. The more there are who could say so, the more time they get to hear each other first; two or three peers do
   * not wait for anybody.
   */
  answer(): void {
    this.soon(0.1 * Math.min(1, (this.#reports.size - 1) / smallGroup))
  }

  /** Sends within `share` of a period, ± half of it; `forced`: even if an equal beacon is heard before. */
  soon(share: number, forced = false): void {
    if (this.#stopped) return
    const now = this.#timers.now()
    // Bursts of reasons make one beacon: never more than ten per period.
    const earliest = this.#sentAt + this.#period / 10
    const at = Math.max(now + share * this.#period * (0.5 + this.#late()), earliest)
    this.#forced ||= forced
    this.#reasonAt = now
    if (at < this.#due) this.#schedule(at)
  }

  /**
   * From 0 to 1, near 1 for most and near 0 for a few: of however many peers that have the same to say, a few come first and spare the
   * others. The more there are, the fewer may be early.
   */
  #late(): number {
    const steepness = 1 + Math.log(Math.max(this.#reports.size, smallGroup))
    return Math.log(1 + this.#random() * Math.expm1(steepness)) / steepness
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
    if (this.#forced || !this.#suppressed()) {
      this.#forced = false
      this.#sending = true
      try {
        await this.#send(this.#wanted)
      } finally {
        this.#sending = false
        this.#sentAt = this.#timers.now()
        this.#echoes = 0
      }
    }
    // A reason that came while the beacon was made may not be in it.
    const pause = this.#missed ? 0.1 : 0.75 + this.#late() / 2
    this.#missed = false
    const next = this.#timers.now() + this.#period * pause
    if (next < this.#due && !this.#stopped) this.#schedule(next)
  }

  #suppressed(): boolean {
    if (this.#wanted > 0) return false
    const now = this.#timers.now()
    const audible = now - this.#sentAt <= audiblePeriods * this.#period || this.#reports.size > smallGroup
    const echoed = this.#echoedAt >= this.#reasonAt && now - this.#echoedAt < this.#period
    return audible && echoed
  }

  /** Somebody's beacon, with our own root at that moment; true when their report is another one than before. */
  heard(sender: string, beacon: Beacon, own: Root): boolean {
    const { root, count, wanted } = beacon
    const before = this.#reports.get(sender)
    this.#reports.set(sender, { root: root.slice(), count, at: this.#timers.now() })
    if (equalBytes(root, own.digest)) {
      this.#echoedAt = this.#timers.now()
      this.#echoes++
      if (wanted > 0 && this.#echoes <= wanted) this.soon(0.2, true)
    }
    return before === undefined || !equalBytes(before.root, root)
  }

  /** Peers heard within the last few periods. */
  *recent(): Generator<[string, Report], void, undefined> {
    const since = this.#timers.now() - reportPeriods * this.#period
    for (const [sender, report] of this.#reports.entries()) if (report.at >= since) yield [sender, report]
  }
}
