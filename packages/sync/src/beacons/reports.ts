import type { PeerInfo } from '@p2pl/core'
import type { Standings } from '../standings.ts'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { Timers } from '../toolbox/timers.ts'
import type { Beacon } from '../wire/messages.ts'

export interface Report {
  readonly root: Bytes
  readonly count: number
  readonly providers: readonly PeerInfo[]
  readonly at: number
}

/** A report is valid for this many beacon periods. */
const reportPeriods = 6
/** A report counts as company for this many periods. A peer that reported the root earlier may have moved on. */
const companyPeriods = 1.5

/**
 * What other peers report about their views, and which of them have proved it. A flood of strangers does not displace a
 * known sender.
 */
export class Reports {
  readonly #timers: Timers
  readonly #period: number
  readonly #standings: Standings
  readonly #known: BoundedMap<string, Report> = new BoundedMap(limits.reports)
  readonly #strangers: BoundedMap<string, Report> = new BoundedMap(limits.reports)
  /** The root whose entries a sender could read when it was asked. */
  readonly #proven: BoundedMap<string, Bytes> = new BoundedMap(limits.reports)

  constructor(timers: Timers, period: number, standings: Standings) {
    this.#timers = timers
    this.#period = period
    this.#standings = standings
  }

  get size(): number {
    return this.#known.size + this.#strangers.size
  }

  /** Records a beacon. Returns whether the sender reports another root than before. */
  heard(sender: string, { root, count, providers }: Beacon): boolean {
    const before = this.#known.get(sender) ?? this.#strangers.get(sender)
    const known = this.#standings.isKnown(sender)
    ;(known ? this.#strangers : this.#known).delete(sender)
    const reports = known ? this.#known : this.#strangers
    reports.set(sender, { root: root.slice(), count, providers, at: this.#timers.now() })
    return before === undefined || !equalBytes(before.root, root)
  }

  prove(sender: string, root: Bytes): void {
    this.#proven.set(sender, root.slice())
  }

  /** Whether the sender has proved that it holds this root, and still reports it. */
  proves(sender: string, report: Report, root: Bytes): boolean {
    const proven = this.#proven.get(sender)
    return proven !== undefined && equalBytes(proven, root) && equalBytes(report.root, root)
  }

  /** Peers heard within the last few periods. */
  *recent(): Generator<[string, Report], void, undefined> {
    const since = this.#timers.now() - reportPeriods * this.#period
    for (const reports of [this.#known, this.#strangers]) {
      for (const [sender, report] of reports) if (report.at >= since) yield [sender, report]
    }
  }

  /** Providers of blocks, known senders first. */
  providers(most: number): PeerInfo[] {
    const found: PeerInfo[] = []
    for (const [, { providers }] of this.recent()) {
      found.push(...providers)
      if (found.length >= most) break
    }
    return found.slice(0, most)
  }

  /** Whether a known sender has just reported this root. */
  hasCompany(root: Bytes): boolean {
    const since = this.#timers.now() - companyPeriods * this.#period
    for (const [sender, report] of this.recent()) {
      if (report.at < since || !equalBytes(report.root, root)) continue
      if (this.#standings.isKnown(sender) || this.proves(sender, report, root)) return true
    }
    return false
  }
}
